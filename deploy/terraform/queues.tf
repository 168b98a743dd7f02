# The inboxes and the dead letters of deploy/queues.json, with the event rules that fill
# the inboxes. The rules' patterns stand in deploy/eventrules; those that invoke a
# function without a queue are triggers of s.yaml.
#
# A queue costs by the day that it stands, whether or not it is used, and this is most of
# what a deployment costs: so each is made only where something reads it.

locals {
  # The queue that the policy file names for copies of findings.
  findings = try(local.policy.sinks.findings, "")

  queues = {
    for q in jsondecode(file("${local.deploy}/queues.json")).queues : q.name => {
      retention   = q.messageRetentionPeriod
      visibility  = q.visibilityTimeout
      dead_letter = try(q.deadLetter.queue, "")
      receives    = try(q.deadLetter.maxReceiveCount, 0)
      rules       = try(q.eventRules, [])
      # A member's events reach an inbox also where the account's own invoke the function.
      member_rules = concat(try(q.eventRules, []), try(q.memberRules, []))
    }
    if(local.home || try(q.where, "") != "home") && (try(q.when, "") == "" || q.name == local.findings)
  }
  # The queues that are dead letters of others must stand before those.
  inboxes = { for name, q in local.queues : name => q if q.dead_letter != "" }
  ends    = { for name, q in local.queues : name => q if q.dead_letter == "" }

  # Those of the default bus by their names, those of the members' bus (members.tf) beside.
  rules = merge(flatten([
    for queue, q in local.queues : [
      for bus, rules in { "default" = q.rules, "fleetwarden-members" = local.members ? q.member_rules : [] } : {
        for rule in rules : "${bus == "default" ? "" : "${bus}/"}fleetwarden-${rule}-to-${trimprefix(queue, "fleetwarden-")}" => { bus = bus, rule = rule, queue = queue }
      }
    ]
  ])...)
}

resource "alicloud_message_service_queue" "end" {
  for_each                 = local.ends
  queue_name               = each.key
  message_retention_period = each.value.retention
  visibility_timeout       = each.value.visibility
  tags                     = local.tags
}

resource "alicloud_message_service_queue" "inbox" {
  for_each                 = local.inboxes
  queue_name               = each.key
  message_retention_period = each.value.retention
  visibility_timeout       = each.value.visibility
  tags                     = local.tags

  dlq_policy {
    enabled                  = true
    dead_letter_target_queue = each.value.dead_letter
    max_receive_count        = each.value.receives
  }

  depends_on = [alicloud_message_service_queue.end]
}

# EventBridge writes into the queues with its service-linked role, which the deployment
# makes before this, outside Terraform: other rules of the account use it, too.
resource "alicloud_event_bridge_rule" "to_inbox" {
  for_each       = local.rules
  event_bus_name = each.value.bus # services put their events onto the default one
  rule_name      = basename(each.key)
  description    = "Fleetwarden: fills ${each.value.queue}${each.value.bus == "default" ? "" : " with the members' events"}"
  status         = "ENABLE" # a rule that was disabled is enabled again

  # Of the members' bus only what comes from these accounts, whoever else may reach it.
  filter_pattern = jsonencode(merge(
    jsondecode(file("${local.deploy}/eventrules/${each.value.rule}.json")),
    { for attribute in each.value.bus == "default" ? [] : ["aliyunoriginalaccountid"] : attribute => sort(var.members) },
  ))

  targets {
    target_id           = each.value.queue
    type                = "acs.mns.queue"
    endpoint            = "acs:mns:${var.region}:${local.account}:queues/${each.value.queue}"
    push_retry_strategy = "EXPONENTIAL_DECAY_RETRY" # for a day

    dead_letter_queue {
      arn = "acs:mns:${var.region}:${local.account}:/queues/fleetwarden-dead-letters"
    }
    param_list {
      resource_key = "queue"
      form         = "CONSTANT"
      value        = each.value.queue
    }
    # The whole event. Not in Base64, which is the default; saying so would show as a
    # difference forever (a documented quirk of this resource).
    param_list {
      resource_key = "Body"
      form         = "ORIGINAL"
    }
  }

  depends_on = [
    alicloud_event_bridge_event_bus.members,
    alicloud_message_service_queue.end,
    alicloud_message_service_queue.inbox,
  ]
}
