# The commands of Cloud Assistant that push-agent may run, and no others. A changed
# script is a new command with a new id. From the apply to the "s deploy" that follows,
# a push meets an id that is gone, fails, is recorded, and is decided again later.

locals {
  commands = {
    for c in jsondecode(file("${local.deploy}/commands/commands.json")).commands : c.name => c
  }
}

resource "alicloud_ecs_command" "this" {
  for_each         = local.commands
  name             = each.key
  description      = "Fleetwarden: deploy/commands/${each.value.file}"
  type             = each.value.type
  command_content  = filebase64("${local.deploy}/commands/${each.value.file}")
  timeout          = each.value.timeout
  enable_parameter = each.value.enableParameter

  lifecycle {
    create_before_destroy = true # the role's policy names the new id before the old one goes
  }
}
