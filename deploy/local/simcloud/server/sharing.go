package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"fleetwarden/deploy/local/simcloud/access"
	"fleetwarden/deploy/local/simcloud/kms"
)

// Usable says whether an account can use an image or a snapshot of a region, and
// if not, why.
func (s *Server) Usable(account, region, id string) (ok bool, why string) {
	return access.Usable(s.World, s.ECS, s.Access, region, id, account)
}

// usable serves GET /_sim/usable?account=&region=&resource=.
func (s *Server) usable(r *http.Request) (any, error) {
	q := r.URL.Query()
	account, region, id := q.Get("account"), q.Get("region"), q.Get("resource")
	if account == "" || id == "" || !slices.Contains(s.World.Regions, region) {
		return nil, bad("account, region and resource are needed, and the region must be there")
	}
	ok, why := s.Usable(account, region, id)
	return map[string]any{"usable": ok, "why": why}, nil
}

type keyRequest struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Alias   string `json:"alias"`
	// Key, with State, sets the state of a key that is there; without it a key
	// is made.
	Key   string `json:"key"`
	State string `json:"state"`
}

// keys serves POST /_sim/keys: makes a customer master key, or sets the state of
// one.
func (s *Server) keys(in keyRequest) (any, error) {
	in.Account, in.Region = cmp.Or(in.Account, Sharer), cmp.Or(in.Region, Home)
	if in.State != "" && !slices.Contains(kms.States(), in.State) {
		return nil, fmt.Errorf("no state %q, there are %q", in.State, kms.States())
	}
	name := in.Key
	if name == "" {
		var aliases []string
		if in.Alias != "" {
			aliases = append(aliases, in.Alias)
		}
		key, err := s.KMS.AddKey(in.Account, in.Region, aliases...)
		if err != nil {
			return nil, err
		}
		name = key.ID
	}
	if in.State != "" {
		if err := s.KMS.SetState(in.Account, in.Region, name, in.State); err != nil {
			return nil, err
		}
	}
	key, ok := s.KMS.Find(in.Account, in.Region, name)
	if !ok {
		return nil, fmt.Errorf("no key %q", name)
	}
	return map[string]string{"id": key.ID, "arn": key.ARN, "state": key.State}, nil
}

type directoryRequest struct {
	// Account is put into Folder; without a folder it leaves the directory.
	Account string `json:"account"`
	Folder  string `json:"folder"`
	// Name, without an account, makes a folder in Folder.
	Name string `json:"name"`
}

// directory serves POST /_sim/directory: moves an account, or makes a folder.
func (s *Server) directory(in directoryRequest) (any, error) {
	switch {
	case in.Account != "" && in.Name == "" && in.Folder != "":
		return struct{}{}, s.Directory.Move(in.Account, in.Folder)
	case in.Account != "" && in.Name == "":
		return struct{}{}, s.Directory.Leave(in.Account)
	case in.Account == "" && in.Name != "" && in.Folder != "":
		id, err := s.Directory.AddFolder(in.Folder, in.Name)
		return map[string]string{"folder": id}, err
	}
	return nil, errors.New(`either {"account","folder"}, {"account"} or {"folder","name"}`)
}
