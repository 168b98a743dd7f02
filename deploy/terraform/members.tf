# Where the events of member accounts arrive. Another account's events may be put onto a
# bus of one's own, and not onto the default one: the bus fleetwarden-members, in each
# region. Rules of it (queues.tf) put the events into the inboxes, as those of the default
# bus do, and launches too, which for this account invoke the functions directly. In the
# member, memberevents sends them.

locals {
  members = length(var.members) > 0
}

resource "alicloud_event_bridge_event_bus" "members" {
  count          = local.members ? 1 : 0
  event_bus_name = "fleetwarden-members"
  description    = "Fleetwarden: events of member accounts"
}

# The EventBridge of each member assumes it to put events here. Roles are the account's.
resource "alicloud_ram_role" "members" {
  count       = local.home && local.members ? 1 : 0
  role_name   = "fleetwarden-members"
  description = "Assumed by the EventBridge of member accounts, to send their events"
  tags        = local.tags

  assume_role_policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = [for member in sort(var.members) : "${member}@eventbridge.aliyuncs.com"] }
    }]
  })
}

resource "alicloud_ram_policy" "members" {
  count           = local.home && local.members ? 1 : 0
  policy_name     = "fleetwarden-members"
  description     = "Fleetwarden: events of member accounts"
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  tags            = local.tags

  policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Effect   = "Allow"
      Action   = "eventbridge:PutEvents"
      Resource = "acs:eventbridge:*:${local.account}:eventbus/fleetwarden-members"
    }]
  })
}

resource "alicloud_ram_role_policy_attachment" "members" {
  count       = local.home && local.members ? 1 : 0
  role_name   = alicloud_ram_role.members[0].role_name
  policy_name = alicloud_ram_policy.members[0].policy_name
  policy_type = "Custom"
}
