output "commands" {
  description = "The ids of this region's commands, by their names."
  value       = { for name, c in alicloud_ecs_command.this : name => c.id }
}

output "environment" {
  description = "What s.yaml reads from the environment, as lines for a shell."
  value = join("\n", [
    "export REGION='${var.region}'",
    "export HOME_REGION='${var.home_region}'",
    "export FLEETWARDEN_DEPLOYMENT='${var.deployment}'",
    "export FLEETWARDEN_MEMBERS='${join(",", sort(var.members))}'",
    "export FLEETWARDEN_COMMANDS='${join(",", [for name, c in alicloud_ecs_command.this : "${name}=${c.id}"])}'",
  ])
}

output "searches" {
  description = "The searches of the functions' logs, by name, to be saved or typed in the console. An {id} or {function} in one is to be replaced."
  value = {
    project  = alicloud_log_project.functions.project_name
    logstore = alicloud_log_store.functions.logstore_name
    queries  = local.searches
  }
}

output "account" {
  description = "The account that this was applied in; \"s\" must deploy into the same."
  value       = local.account
}
