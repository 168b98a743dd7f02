# A trail of the writing calls of all regions, into a log project of its own. Whether
# EventBridge passes trail records on without one is nowhere said; with one, there is
# also something to look at when an event was missed.

locals {
  trail = local.home && var.trail
}

resource "alicloud_log_project" "trail" {
  count        = local.trail ? 1 : 0
  project_name = "fleetwarden-${local.account}"
  description  = "Fleetwarden: ActionTrail's records"
}

# ActionTrail names its log store actiontrail_ and the trail's name. It is made here
# so that the records do not stay forever.
resource "alicloud_log_store" "trail" {
  count            = local.trail ? 1 : 0
  project_name     = alicloud_log_project.trail[0].project_name
  logstore_name    = "actiontrail_fleetwarden"
  retention_period = var.trail_days
}

resource "alicloud_actiontrail_trail" "this" {
  count           = local.trail ? 1 : 0
  trail_name      = "fleetwarden"
  event_rw        = "Write"
  trail_region    = "All"
  sls_project_arn = "acs:log:${var.home_region}:${local.account}:project/${alicloud_log_project.trail[0].project_name}"

  depends_on = [alicloud_log_store.trail]
}
