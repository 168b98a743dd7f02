package ecs

import "fleetwarden/deploy/local/simcloud/wire"

// unlock refuses to use an encrypted image of another account unless the
// caller's ECS may use the sharer's key, and the new disk or copy is encrypted on
// its own: since 2024-06-30 Encrypted must be true (the vendor's notice
// 20240528image; the codes are assumed). The caller holds the mutex.
func (s *Service) unlock(sp *space, img *image, encrypted string) error {
	if img.owner == "" || img.owner == sp.account || img.encrypted() == nil {
		return nil
	}
	for _, m := range img.mappings {
		if err := s.unlockKey(img.resource(), m.key, sp.account, encrypted); err != nil {
			return err
		}
	}
	return nil
}

// unlockKey is unlock for one key of a resource; empty for none. The caller holds the mutex.
func (s *Service) unlockKey(r Resource, key, sharee, encrypted string) error {
	if key == "" {
		return nil
	}
	if encrypted != "true" {
		return mustEncrypt(r.ID)
	}
	if d := s.access.Deny(Grant{r.Kind, r.Owner, r.Region, key, sharee}); d != nil {
		return unauthorized(d)
	}
	return nil
}

// unlockDisks checks the data disks of a launch that are made of snapshots: they
// must be there, and encrypted ones of another account are held to the same as
// images. The caller holds the mutex.
func (s *Service) unlockDisks(sp *space, l *launch) error {
	for i := range l.Data {
		d := &l.Data[i]
		if d.Snapshot == "" {
			continue
		}
		x := s.snapshot(sp, d.Snapshot)
		if x == nil {
			return noSnapshot(d.Snapshot)
		}
		if x.owner == sp.account && x.key != "" {
			inherit(d, x.key, x.service)
		} else if err := s.unlockKey(x.resource(), x.key, sp.account, d.Encrypted); err != nil {
			return err
		}
	}
	return nil
}

// inherit gives a disk the encryption of what it is made of, if it asks for none
// of its own. A service key is not named.
func inherit(d *launchDisk, key string, service bool) {
	if d.Encrypted != "" {
		return
	}
	d.Encrypted = "true"
	if !service {
		d.Key = key
	}
}

func mustEncrypt(id string) error {
	return invalid("InvalidParameter.EncryptedIllegal", "%s is an encrypted resource of another account: Encrypted must be true.", id)
}

// unauthorized is 403 InvalidParameter.KMSKeyId.KMSUnauthorized: error table of
// RunInstances, for a key that ECS cannot use; that it is the answer for a
// sharer's key is assumed.
func unauthorized(d *Denial) error {
	return wire.Errorf(403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS. (simcloud: %s)", d.Why)
}
