package fleet

// Makers returns the functions that decide on changes of a kind and make them; the first
// of them is told when another sees that one is due. There are none of a kind that only
// undoing makes, or that this code does not know.
func Makers(kind ChangeKind) []string {
	switch kind {
	case EnsureRole, GrantRole, AttachRole, ReplaceRole:
		return []string{"attach-role"}
	case TagInstance:
		return []string{"validate-instance", "push-agent"}
	case StopInstance:
		return []string{"validate-instance"}
	case RefreshAssets, PushAgent, PushTrustClient:
		return []string{"push-agent"}
	case EnsureShareRole, SetShareTrust, MarkUnused, SetKeyPolicy, AttachKeyPolicy, DetachKeyPolicy:
		return []string{"setup-share-role"}
	}
	return nil
}
