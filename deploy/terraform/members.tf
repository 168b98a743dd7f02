# Where the events of member accounts arrive. Another account's events may be put onto a
# bus of one's own, and not onto the default one: the bus fleetwarden-members, in each
# region. Rules of it put the events into the inboxes, as the rules of the default bus do,
# and launches too, which for this account invoke the functions directly. In the member,
# memberevents sends them.

locals {
  members = length(var.members) > 0

  member_rules = merge([
    for queue, q in local.queues : {
      for rule in q.member_rules : "fleetwarden-${rule}-to-${trimprefix(queue, "fleetwarden-")}" => { rule = rule, queue = queue } if local.members
    }
  ]...)
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

resource "alicloud_event_bridge_rule" "from_members" {
  for_each       = local.member_rules
  event_bus_name = alicloud_event_bridge_event_bus.members[0].event_bus_name
  rule_name      = each.key
  description    = "Fleetwarden: fills ${each.value.queue} with the members' events"

  # Only what comes from these accounts, whoever else may reach the bus.
  filter_pattern = jsonencode(merge(
    jsondecode(file("${local.deploy}/eventrules/${each.value.rule}.json")),
    { aliyunoriginalaccountid = sort(var.members) },
  ))
  status = "ENABLE"

  targets {
    target_id           = each.value.queue
    type                = "acs.mns.queue"
    endpoint            = "acs:mns:${var.region}:${local.account}:queues/${each.value.queue}"
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY"

    dead_letter_queue {
      arn = "acs:mns:${var.region}:${local.account}:/queues/fleetwarden-dead-letters"
    }
    param_list {
      resource_key = "queue"
      form         = "CONSTANT"
      value        = each.value.queue
    }
    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }
  }

  depends_on = [
    alicloud_message_service_queue.end,
    alicloud_message_service_queue.inbox,
  ]
}
