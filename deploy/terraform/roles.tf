# One role and one policy for each function, from deploy/ram. Roles and policies are the
# account's: the home region makes them.
#
# A policy that names commands, as {NAME of commands.json} in a resource, cannot be made
# once, since each region has its own commands. Each region makes its own of those,
# NAME-REGION, and attaches it; the role must stand before. RAM takes 10 custom policies
# on a role, so that many regions can have commands.

locals {
  documents = {
    for f in fileset("${local.deploy}/ram", "*.json") :
    trimsuffix(f, ".json") => jsonencode(jsondecode(file("${local.deploy}/ram/${f}")))
  }
  functions = keys(local.documents)

  optional = {
    for name in var.optional : name => {
      document = jsonencode(jsondecode(file("${local.deploy}/ram/optional/${name}.json")))
      function = one([for f in local.functions : f if startswith(name, "${f}-")])
    }
  }

  policies = merge(
    { for f, document in local.documents : f => { function = f, document = document } },
    local.optional,
  )
  global   = { for name, p in local.policies : name => p if length(regexall("\\{fleetwarden-", p.document)) == 0 }
  regional = { for name, p in local.policies : name => p if length(regexall("\\{fleetwarden-", p.document)) > 0 }

  # The regional policies with the ids of this region's commands. A name that is none of
  # commands.json stays as it is, and fails below.
  resolved = {
    for name, p in local.regional : name => join("", [
      for part in regexall("\\{fleetwarden-[a-z-]+\\}|[^{]+|\\{", p.document) :
      try(alicloud_ecs_command.this[trimsuffix(trimprefix(part, "{"), "}")].id, part)
    ])
  }
}

resource "alicloud_ram_role" "function" {
  for_each    = toset([for f in local.functions : f if local.home])
  role_name   = "fleetwarden-${each.key}"
  description = "Fleetwarden's function ${each.key}"

  assume_role_policy_document = jsonencode({
    Version = "1"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["fc.aliyuncs.com"] }
    }]
  })
}

resource "alicloud_ram_policy" "global" {
  for_each        = { for name, p in local.global : name => p if local.home }
  policy_name     = "fleetwarden-${each.key}"
  description     = "Fleetwarden: deploy/ram of ${each.value.function}"
  policy_document = each.value.document
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded" # the sixth version fails without
}

resource "alicloud_ram_role_policy_attachment" "global" {
  for_each    = alicloud_ram_policy.global
  role_name   = alicloud_ram_role.function[local.global[each.key].function].role_name
  policy_name = each.value.policy_name
  policy_type = "Custom"
}

resource "alicloud_ram_policy" "regional" {
  for_each        = local.regional
  policy_name     = "fleetwarden-${each.key}-${var.region}"
  description     = "Fleetwarden: deploy/ram of ${each.value.function}, with the commands of ${var.region}"
  policy_document = local.resolved[each.key]
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"

  lifecycle {
    precondition {
      condition     = length(regexall("\\{fleetwarden-", local.resolved[each.key])) == 0
      error_message = "The RAM file of ${each.key} names a command that commands.json does not have."
    }
  }
}

resource "alicloud_ram_role_policy_attachment" "regional" {
  for_each    = alicloud_ram_policy.regional
  role_name   = "fleetwarden-${local.regional[each.key].function}"
  policy_name = each.value.policy_name
  policy_type = "Custom"

  depends_on = [alicloud_ram_role.function]
}
