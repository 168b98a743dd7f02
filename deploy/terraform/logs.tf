# The functions' logs, of which each line is one record, and what shows them. s.yaml names
# project and store. The store is made before the first deployment, with its index: lines
# that were written before an index are not found by it.

resource "alicloud_log_project" "functions" {
  project_name = "fleetwarden-${local.account}-${var.region}"
  description  = "Fleetwarden: the functions' logs"
  tags         = local.tags

  depends_on = [data.alicloud_oss_buckets.ledger] # not in a region of another home
}

resource "alicloud_log_store" "functions" {
  project_name     = alicloud_log_project.functions.project_name
  logstore_name    = "functions"
  retention_period = var.log_days
}

locals {
  # The fields that are indexed, and the searches. Version 1.289 of the provider has no resource
  # for a saved search: the charts and alarms take these, and the output "searches" has them for
  # the console.
  logs     = jsondecode(file("${local.deploy}/queries.json"))
  fields   = local.logs.fields
  searches = { for q in local.logs.queries : q.name => q.query }

  # The fields that Function Compute adds to each line and, by request metrics, to each call.
  log_texts = local.fields.texts
  log_longs = local.fields.longs

  # The leaves of a record that are searched, counted and drawn. The others are in message.
  record_texts = local.fields.message.texts
  record_longs = local.fields.message.longs

  token = ", '\";=()[]{}?@&<>/:\n\t\r"
}

resource "alicloud_log_store_index" "functions" {
  project  = alicloud_log_project.functions.project_name
  logstore = alicloud_log_store.functions.logstore_name

  # SQL cuts values at 2,048 bytes otherwise, and findings are longer.
  max_text_len = 16384

  full_text {
    case_sensitive = false
    token          = local.token
  }

  field_search {
    name             = "message"
    type             = "json"
    enable_analytics = true
    token            = local.token

    dynamic "json_keys" {
      for_each = concat([for k in local.record_texts : { name = k, type = "text" }], [for k in local.record_longs : { name = k, type = "long" }])
      content {
        name      = json_keys.value.name
        type      = json_keys.value.type
        doc_value = true
      }
    }
  }

  dynamic "field_search" {
    for_each = concat([for k in local.log_texts : { name = k, type = "text" }], [for k in local.log_longs : { name = k, type = "long" }])
    content {
      name             = field_search.value.name
      type             = field_search.value.type
      enable_analytics = true
      token            = field_search.value.type == "text" ? local.token : null
    }
  }
}

locals {
  charts = [
    { title = "Violations by rule", type = "table", query = "${local.searches.violations} | select \"message.finding.rule\" as rule, count(distinct \"message.finding.id\") as resources group by rule order by resources desc limit 100", x = ["rule"], y = ["resources"] },
    { title = "Changes by hour", type = "column", query = "${local.searches.changes} | select date_trunc('hour', __time__) as hour, \"message.change.state\" as state, count(1) as n group by hour, state order by hour limit 1000", x = ["hour", "state"], y = ["n"] },
    { title = "Errors by function", type = "table", query = "${local.searches.faults} | select coalesce(functionName, 'unknown') as function, coalesce(errorType, \"message.msg\", \"message.finding.rule\", 'fault') as error, count(1) as n group by function, error order by n desc limit 100", x = ["function", "error"], y = ["n"] },
    { title = "Delay from event to pass", type = "table", query = "${local.searches.passes} and message.pass.delayMs > 0 | select functionName as function, approx_percentile(\"message.pass.delayMs\", 0.95) as p95_ms, max(\"message.pass.delayMs\") as worst_ms group by function limit 100", x = ["function"], y = ["p95_ms", "worst_ms"] },
  ]
}

resource "alicloud_log_dashboard" "functions" {
  project_name   = alicloud_log_project.functions.project_name
  dashboard_name = "fleetwarden"
  display_name   = "Fleetwarden"
  attribute      = jsonencode({ type = "grid" })

  char_list = jsonencode([
    for i, c in local.charts : {
      title = c.title
      type  = c.type
      search = {
        logstore = alicloud_log_store.functions.logstore_name
        topic    = ""
        query    = c.query
        start    = "-86400s"
        end      = "now"
      }
      display = {
        displayName = c.title
        xAxis       = c.x
        yAxis       = c.y
        xPos        = i % 2 * 5
        yPos        = floor(i / 2) * 5
        width       = 5
        height      = 5
      }
    }
  ])

  depends_on = [alicloud_log_store_index.functions]
}
