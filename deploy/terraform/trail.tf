# A trail of the write calls of all regions, into its own log project. EventBridge
# gets ActionTrail's events only while a trail logs; with one, there is also something to
# look at when an event was missed.

locals {
  trail = local.home && var.trail
}

resource "alicloud_log_project" "trail" {
  count        = local.trail ? 1 : 0
  project_name = "fleetwarden-${local.account}"
  description  = "Fleetwarden: ActionTrail's records"
  tags         = local.tags
}

# ActionTrail names its log store actiontrail_ and the trail's name. It is made here
# so that the records do not stay forever.
resource "alicloud_log_store" "trail" {
  count            = local.trail ? 1 : 0
  project_name     = alicloud_log_project.trail[0].project_name
  logstore_name    = "actiontrail_fleetwarden-trail"
  retention_period = var.trail_days
}

# For the alerts. ActionTrail's records are one JSON object in the field event.
resource "alicloud_log_store_index" "trail" {
  count        = local.trail ? 1 : 0
  project      = alicloud_log_project.trail[0].project_name
  logstore     = alicloud_log_store.trail[0].logstore_name
  max_text_len = 16384

  full_text {
    case_sensitive = false
    token          = local.token
  }

  field_search {
    name             = "event"
    type             = "json"
    enable_analytics = true
    token            = local.token

    dynamic "json_keys" {
      for_each = ["eventId", "eventName", "serviceName", "acsRegion", "errorCode", "sourceIpAddress", "userIdentity.accountId", "userIdentity.principalId", "userIdentity.type", "userIdentity.userName"]
      content {
        name      = json_keys.value
        type      = "text"
        doc_value = true
      }
    }
  }
}

resource "alicloud_actiontrail_trail" "this" {
  count           = local.trail ? 1 : 0
  trail_name      = "fleetwarden-trail"
  event_rw        = "Write"
  trail_region    = "All"
  status          = "Enable" # left out, the trail is made and never started
  sls_project_arn = "acs:log:${var.home_region}:${local.account}:project/${alicloud_log_project.trail[0].project_name}"

  depends_on = [alicloud_log_store_index.trail]
}
