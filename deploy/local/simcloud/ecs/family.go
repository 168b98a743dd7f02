package ecs

import (
	"slices"
	"strings"
)

// trust says how a family's instances become trusted instances.
type trust uint8

const (
	untrusted trust = iota
	// byImage: the sixth security-enhanced generation is trusted when it runs
	// a trusted (secured) image; there is no parameter for it.
	byImage
	// byMode: SecurityOptions.TrustedSystemMode=vTPM, documented for g7, c7, r7
	// and g7t, c7t, r7t.
	byMode
)

// family is an instance type family.
type family struct {
	name   string // ecs.g7t
	perCPU float64
	arch   string // X86 or ARM
	trust  trust
	// enclave: ConfidentialComputingMode=Enclave, documented for c7, g7, r7.
	enclave bool
	// entryDisk: the only families with cloud_essd_entry are u1 and e.
	entryDisk bool
	boot      []string
}

// instanceType is one size of a family.
type instanceType struct {
	id     string
	cpus   int
	memory float64 // GiB
	family *family
}

var (
	bios     = []string{"BIOS"}
	bootBoth = []string{"BIOS", "UEFI"}
	uefi     = []string{"UEFI"}
)

// families are the families that this cloud sells. Their boot modes are assumed;
// which of them can be trusted is documented. Families of the eighth generation
// have no trusted mode here, since no published list could be read.
var families = []*family{
	{name: "ecs.g5", perCPU: 4, arch: "X86", boot: bios},
	{name: "ecs.g6", perCPU: 4, arch: "X86", boot: bootBoth},
	{name: "ecs.c6", perCPU: 2, arch: "X86", boot: bootBoth},
	{name: "ecs.r6", perCPU: 8, arch: "X86", boot: bootBoth},
	{name: "ecs.g6t", perCPU: 4, arch: "X86", trust: byImage, boot: bootBoth},
	{name: "ecs.c6t", perCPU: 2, arch: "X86", trust: byImage, boot: bootBoth},
	{name: "ecs.r6t", perCPU: 8, arch: "X86", trust: byImage, boot: bootBoth},
	{name: "ecs.g7", perCPU: 4, arch: "X86", trust: byMode, enclave: true, boot: bootBoth},
	{name: "ecs.c7", perCPU: 2, arch: "X86", trust: byMode, enclave: true, boot: bootBoth},
	{name: "ecs.r7", perCPU: 8, arch: "X86", trust: byMode, enclave: true, boot: bootBoth},
	{name: "ecs.g7t", perCPU: 4, arch: "X86", trust: byMode, boot: bootBoth},
	{name: "ecs.c7t", perCPU: 2, arch: "X86", trust: byMode, boot: bootBoth},
	{name: "ecs.r7t", perCPU: 8, arch: "X86", trust: byMode, boot: bootBoth},
	{name: "ecs.g8i", perCPU: 4, arch: "X86", boot: bootBoth},
	{name: "ecs.g8y", perCPU: 4, arch: "ARM", boot: uefi},
	{name: "ecs.u1-c1m2", perCPU: 2, arch: "X86", entryDisk: true, boot: bootBoth},
	{name: "ecs.e-c1m2", perCPU: 2, arch: "X86", entryDisk: true, boot: bootBoth},
}

var sizes = []struct {
	name string
	cpus int
}{{"large", 2}, {"xlarge", 4}, {"2xlarge", 8}, {"4xlarge", 16}, {"8xlarge", 32}}

// instanceTypes are all sizes of all families, in order.
var instanceTypes = func() (all []*instanceType) {
	for _, f := range families {
		for _, s := range sizes {
			all = append(all, &instanceType{f.name + "." + s.name, s.cpus, f.perCPU * float64(s.cpus), f})
		}
	}
	return all
}()

// typeOf is the instance type of an id, or nil.
func typeOf(id string) *instanceType {
	if at := slices.IndexFunc(instanceTypes, func(t *instanceType) bool { return t.id == id }); at >= 0 {
		return instanceTypes[at]
	}
	return nil
}

// enhanced reports whether it is a security-enhanced family, whose instances
// need KMS switched on.
func (f *family) enhanced() bool {
	return f.trust != untrusted && strings.HasSuffix(f.name, "t")
}

// runs reports whether an image can run on the family: the architectures agree
// and the image's boot mode is one of the family's. UEFI-Preferred runs on any.
func (f *family) runs(img *image) bool {
	return (f.arch == "ARM") == (img.arch == "arm64") && (img.boot == "UEFI-Preferred" || slices.Contains(f.boot, img.boot))
}
