# One role for each function, and one policy for each role, from deploy/ram: the function's
# file with those of deploy/ram/optional that were asked for. Roles and policies are the
# account's: the home region makes them.
#
# A statement that names commands, as {NAME of commands.json} in a resource, cannot be made
# once, since each region has its own commands. Each region makes a policy of those,
# NAME-REGION, and attaches it; the role must stand before. RAM takes 10 custom policies
# on a role, so that nine regions can have commands.

locals {
  files     = { for f in fileset("${local.deploy}/ram", "*.json") : trimsuffix(f, ".json") => jsondecode(file("${local.deploy}/ram/${f}")).Statement }
  functions = keys(local.files)

  optional = { for name in var.optional : name => jsondecode(file("${local.deploy}/ram/optional/${name}.json")).Statement }

  # In JSON, which is one type, and may have what the region resolves.
  statements = {
    for f, own in local.files : f => [
      for s in concat(own, flatten([for name in sort(keys(local.optional)) : local.optional[name] if startswith(name, "${f}-")])) : jsonencode(s)
    ]
  }
  global   = { for f, statements in local.statements : f => [for s in statements : s if !strcontains(s, "{fleetwarden-")] }
  regional = { for f, statements in local.statements : f => [for s in statements : s if strcontains(s, "{fleetwarden-")] if anytrue([for s in statements : strcontains(s, "{fleetwarden-")]) }

  # The regional statements with the ids of this region's commands. A name that is none of
  # commands.json stays as it is, and fails below.
  resolved = {
    for f, statements in local.regional : f => [
      for s in statements : join("", [
        for part in regexall("\\{fleetwarden-[a-z-]+\\}|[^{]+|\\{", s) :
        try(alicloud_ecs_command.this[trimsuffix(trimprefix(part, "{"), "}")].id, part)
      ])
    ]
  }
}

resource "alicloud_ram_role" "function" {
  for_each    = toset([for f in local.functions : f if local.home])
  role_name   = "fleetwarden-${each.key}"
  description = "Fleetwarden's function ${each.key}"
  tags        = local.tags

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
  for_each        = { for f, statements in local.global : f => statements if local.home }
  policy_name     = "fleetwarden-${each.key}"
  description     = "Fleetwarden: deploy/ram of ${each.key}"
  policy_document = jsonencode({ Version = "1", Statement = [for s in each.value : jsondecode(s)] })
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded" # the sixth version fails without
  tags            = local.tags

  lifecycle {
    precondition {
      condition     = alltrue([for name in var.optional : anytrue([for f in local.functions : startswith(name, "${f}-")])])
      error_message = "An optional right begins with no function's name: ${join(", ", var.optional)}."
    }
  }
}

resource "alicloud_ram_role_policy_attachment" "global" {
  for_each    = alicloud_ram_policy.global
  role_name   = alicloud_ram_role.function[each.key].role_name
  policy_name = each.value.policy_name
  policy_type = "Custom"
}

resource "alicloud_ram_policy" "regional" {
  for_each        = local.regional
  policy_name     = "fleetwarden-${each.key}-${var.region}"
  description     = "Fleetwarden: deploy/ram of ${each.key}, with the commands of ${var.region}"
  policy_document = jsonencode({ Version = "1", Statement = [for s in local.resolved[each.key] : jsondecode(s)] })
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  tags            = local.tags

  lifecycle {
    precondition {
      condition     = !anytrue([for s in local.resolved[each.key] : strcontains(s, "{fleetwarden-")])
      error_message = "The RAM file of ${each.key} names a command that commands.json does not have."
    }
  }
}

resource "alicloud_ram_role_policy_attachment" "regional" {
  for_each    = alicloud_ram_policy.regional
  role_name   = "fleetwarden-${each.key}"
  policy_name = each.value.policy_name
  policy_type = "Custom"

  depends_on = [alicloud_ram_role.function]
}
