# Who is notified when the functions themselves fail. Off unless recipients are named, which are the
# account's own: contact groups of CloudMonitor (alarm_contacts) for what is measured, an
# action policy of Log Service (alarm_policy) for what is logged.

locals {
  functions_log = { project = alicloud_log_project.functions.project_name, store = alicloud_log_store.functions.logstore_name }
  trail_log     = { project = one(alicloud_log_project.trail[*].project_name), store = one(alicloud_log_store.trail[*].logstore_name) }

  alerts = {
    # A record of an error, a rule that could not be judged, a call that failed, ran out of
    # memory or of time.
    faults = {
      made     = true
      title    = "Fleetwarden: a function failed"
      hint     = "Functions failed or could not judge: see the chart \"Errors by function\" of the dashboard fleetwarden."
      log      = local.functions_log
      query    = "${local.searches.faults} | select functionName, count(1) as n group by functionName limit 100"
      start    = "-20m" # lines reach the index late: the windows overlap
      when     = "n > 0"
      silence  = false
      interval = "15m"
      cron     = null
    }
    # The timer starts a sweep at 03:30 and it carries on by messages; by noon nothing of
    # it may still be running, and it must have run.
    sweep = {
      made     = local.home
      title    = "Fleetwarden: the nightly sweep has not run to its end"
      hint     = "No sweep has run since yesterday, or it still runs at noon: see the log of fleetwarden-sweep and the queue fleetwarden-dead-letters."
      log      = local.functions_log
      query    = "${local.searches.passes} and message.function: sweep | select count(1) as passes, count_if(__time__ > to_unixtime(now()) - 3600) as late"
      start    = "-24h"
      when     = "passes == 0 || late > 0"
      silence  = true
      interval = null
      cron     = "0 12 * * *"
    }
    trail-changed = {
      made     = local.trail
      title    = "Fleetwarden: a trail was stopped or changed"
      hint     = "EventBridge gets no events of calls while no trail logs: start the trail fleetwarden-trail again."
      log      = local.trail_log
      query    = "event.serviceName: Actiontrail and (event.eventName: StopLogging or event.eventName: DeleteTrail or event.eventName: UpdateTrail) | select \"event.eventName\" as what, count(1) as n group by what limit 100"
      start    = "-30m"
      when     = "n > 0"
      silence  = false
      interval = "15m"
      cron     = null
    }
    # A trail that was stopped may not deliver the call that stopped it.
    trail-silent = {
      made     = local.trail
      title    = "Fleetwarden: the trail has delivered nothing for a day"
      hint     = "The trail fleetwarden-trail does not log, or cannot deliver: see its status. In an account in which nothing is changed for a day, ignore this."
      log      = local.trail_log
      query    = "* | select count(1) as n"
      start    = "-24h"
      when     = "n == 0"
      silence  = true
      interval = "6h"
      cron     = null
    }
  }
}

resource "alicloud_sls_alert" "this" {
  for_each     = { for name, a in local.alerts : name => a if a.made && var.alarm_policy != "" }
  project_name = each.value.log.project
  alert_name   = "fleetwarden-${each.key}"
  display_name = each.value.title
  status       = "ENABLED"

  schedule {
    type            = each.value.cron == null ? "FixedRate" : "Cron"
    interval        = each.value.interval
    cron_expression = each.value.cron
    time_zone       = "+0800" # as the sweep's timer
  }

  configuration {
    version          = "2.0"
    type             = "default"
    dashboard        = "internal-alert-analysis"
    threshold        = 1
    no_data_fire     = each.value.silence
    no_data_severity = 8
    send_resolved    = true
    auto_annotation  = true

    annotations {
      key   = "title"
      value = each.value.title
    }
    annotations {
      key   = "desc"
      value = each.value.hint
    }
    group_configuration {
      type = "no_group"
    }
    join_configurations {
      type = "no_join"
    }
    query_list {
      store_type     = "log"
      region         = var.region
      project        = each.value.log.project
      store          = each.value.log.store
      query          = each.value.query
      time_span_type = "Relative"
      start          = each.value.start
      end            = "now"
      power_sql_mode = "disable"
    }
    severity_configurations {
      severity = 8 # high
      eval_condition {
        condition       = each.value.when
        count_condition = ""
      }
    }
    policy_configuration {
      alert_policy_id  = "sls.builtin.dynamic"
      action_policy_id = var.alarm_policy
      repeat_interval  = "4h"
    }
  }

  depends_on = [alicloud_log_store_index.functions, alicloud_log_store_index.trail]
}

# The queue's own counters (ActiveMessages and others) are to answer zero soon; CloudMonitor
# counts under these names. What lies here is lost after seven days, unless redriven.
resource "alicloud_cms_alarm" "dead_letters" {
  count          = length(var.alarm_contacts) > 0 ? 1 : 0
  name           = "fleetwarden-dead-letters-${var.region}"
  project        = "acs_mns_new"
  metric         = "NumberOfMessagesVisible"
  period         = 300
  contact_groups = sort(var.alarm_contacts)
  tags           = local.tags

  metric_dimensions = jsonencode([{ userId = local.account, region = var.region, queue = "fleetwarden-dead-letters" }])

  escalations_critical {
    statistics          = "Maximum"
    comparison_operator = ">"
    threshold           = 0
    times               = 1
  }
}
