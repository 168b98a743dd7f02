package ecs

import (
	"cmp"
	"fmt"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// template is a launch template with its versions; version 1 is versions[0].
type template struct {
	id, name  string
	versions  []*launch
	preferred int // the default version
	created   time.Time
	tags      tags
}

// TemplateSpec is a version of a launch template to seed: the parameters of
// CreateLaunchTemplate that this cloud knows.
type TemplateSpec struct {
	// Account and Region are the world's first if empty.
	Account                     string `json:"account"`
	Region                      string `json:"region"`
	Name                        string `json:"name"`
	ImageID                     string `json:"imageId"`
	ImageFamily                 string `json:"imageFamily"`
	InstanceType                string `json:"instanceType"`
	VSwitchID                   string `json:"vSwitchId"`
	SecurityGroupID             string `json:"securityGroupId"`
	PrimaryInterfaceVSwitch     string `json:"primaryInterfaceVSwitch"`
	RamRoleName                 string `json:"ramRoleName"`
	UserData                    string `json:"userData"`
	SystemDiskCategory          string `json:"systemDiskCategory"`
	TrustedSystemMode           string `json:"trustedSystemMode"`
	SecurityEnhancementStrategy string `json:"securityEnhancementStrategy"`
	HTTPTokens                  string `json:"httpTokens"`
	// Default makes this the default version; the first one is it anyway.
	Default bool `json:"default"`
}

// SeedTemplate adds a launch template, or a version to the one of that name, and
// returns its id.
func (s *Service) SeedTemplate(t TemplateSpec) (string, error) {
	if t.Name == "" {
		return "", fmt.Errorf("seeding a launch template: no name")
	}
	return seed(s, t.Account, t.Region, func(sp *space) (string, error) {
		found := sp.templateNamed(t.Name)
		if found == nil {
			found = &template{id: s.w.NewID("lt-"), name: t.Name, created: s.w.Clock.Now(), preferred: 1}
			sp.templates.Put(found.id, found)
		}
		found.versions = append(found.versions, t.launch())
		if t.Default {
			found.preferred = len(found.versions)
		}
		return found.id, nil
	})
}

func (t *TemplateSpec) launch() *launch {
	l := &launch{
		ImageID: t.ImageID, ImageFamily: t.ImageFamily, InstanceType: t.InstanceType, VSwitch: t.VSwitchID,
		Role: t.RamRoleName, UserData: t.UserData, System: launchDisk{Category: t.SystemDiskCategory},
		TrustedMode: t.TrustedSystemMode, Hardening: t.SecurityEnhancementStrategy, HTTPTokens: t.HTTPTokens,
	}
	if t.SecurityGroupID != "" {
		l.Groups = []string{t.SecurityGroupID}
	}
	if t.PrimaryInterfaceVSwitch != "" {
		l.NICs = []launchNIC{{InstanceType: "Primary", VSwitch: t.PrimaryInterfaceVSwitch, Groups: l.Groups}}
	}
	return l
}

func (sp *space) templateNamed(name string) *template {
	for _, t := range sp.templates.After(0) {
		if t.name == name {
			return t
		}
	}
	return nil
}

// template finds a template by id or name. The codes are assumed. The caller
// holds the mutex.
func (sp *space) template(id, name string) (*template, error) {
	var t *template
	switch {
	case id != "":
		t = sp.templates.Get(id)
	case name != "":
		t = sp.templateNamed(name)
	default:
		return nil, missing("LaunchTemplateId")
	}
	if t == nil {
		return nil, wire.Errorf(404, "InvalidLaunchTemplate.NotFound", "The specified launch template does not exist: %s%s.", id, name)
	}
	return t, nil
}

// version is a version's launch; 0 is the default version.
func (t *template) version(n int64) (*launch, error) {
	n = cmp.Or(n, int64(t.preferred))
	if n < 1 || n > int64(len(t.versions)) {
		return nil, wire.Errorf(404, "InvalidLaunchTemplateVersion.NotFound", "The specified launch template version does not exist: %d.", n)
	}
	return t.versions[n-1], nil
}

// fillFrom fills a launch from the template that a request names, if it names
// one.
func (s *Service) fillFrom(sp *space, l *launch, in *RunInstancesRequest) error {
	if in.LaunchTemplateId == "" && in.LaunchTemplateName == "" {
		return nil
	}
	t, err := sp.template(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return err
	}
	v, err := t.version(in.LaunchTemplateVersion)
	if err != nil {
		return err
	}
	l.fill(v)
	return nil
}
