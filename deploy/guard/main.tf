# The preventive guard: policies that deny what the functions would otherwise find. Nothing
# is made unless principals or nodes are named. README.md says what it does not catch.
#
#   terraform -chdir=deploy/guard init
#   terraform -chdir=deploy/guard apply -var 'groups=["developers"]'       # in an account
#   terraform -chdir=deploy/guard apply -var 'nodes=["fd-bVaRIG****"]'     # in the directory's management account

terraform {
  required_version = ">= 1.5"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "1.289.0"
    }
  }
}

variable "groups" {
  description = "RAM user groups of this account that get the policy."
  type        = set(string)
  default     = []
}

variable "users" {
  description = "RAM users of this account that get the policy."
  type        = set(string)
  default     = []
}

variable "roles" {
  description = "RAM roles of this account that get the policy; none of the functions' own."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for r in var.roles : !startswith(r, "fleetwarden-") && r != "FleetwardenMember"])
    error_message = "A Deny on the functions' own roles would keep them from their work."
  }
}

variable "nodes" {
  description = "Nodes of the resource directory, as r-…, fd-… or a member's account number, that get the policy as a control policy. Needs the credentials of the management account, in which control policies are enabled."
  type        = set(string)
  default     = []
}

variable "protect_tags" {
  description = "Whether to deny as well that the functions' tags are written by others."
  type        = bool
  default     = false
}

variable "protect_role" {
  description = "Whether to deny as well that roles are detached from instances, and the trusted system's role is changed, by others."
  type        = bool
  default     = false
}

variable "deployment" {
  description = "The value of the tag fleetwarden:deployment."
  type        = string
  default     = "main"
}

locals {
  tags    = { "fleetwarden:deployment" = var.deployment }
  account = length(var.groups) + length(var.users) + length(var.roles) > 0
  node    = length(var.nodes) > 0

  hardening = jsondecode(file("${path.module}/hardening.json")).Statement
  protected = concat(
    [for s in jsondecode(file("${path.module}/tags.json")).Statement : s if var.protect_tags],
    [for s in jsondecode(file("${path.module}/role.json")).Statement : s if var.protect_role],
  )

  # A control policy is about all principals of a member, the functions' roles too. RAM's
  # own policies do not have this key, and the functions' roles do not get them. The vendor's
  # examples write role names in small letters.
  ours = { StringNotLike = { "acs:PrincipalARN" = ["acs:ram:*:*:role/fleetwarden-*", "acs:ram:*:*:role/FleetwardenMember", "acs:ram:*:*:role/fleetwardenmember"] } }

  account_policy = jsonencode({ Version = "1", Statement = concat(local.hardening, local.protected) })
  control_policy = jsonencode({
    Version   = "1"
    Statement = concat(local.hardening, [for s in local.protected : merge(s, { Condition = merge(try(s.Condition, {}), local.ours) })])
  })
}

resource "alicloud_ram_policy" "guard" {
  count           = local.account ? 1 : 0
  policy_name     = "fleetwarden-guard"
  description     = "Fleetwarden: denies launches without free security hardening"
  policy_document = local.account_policy
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  tags            = local.tags
}

resource "alicloud_ram_group_policy_attachment" "guard" {
  for_each    = var.groups
  group_name  = each.key
  policy_name = alicloud_ram_policy.guard[0].policy_name
  policy_type = "Custom"
}

resource "alicloud_ram_user_policy_attachment" "guard" {
  for_each    = var.users
  user_name   = each.key
  policy_name = alicloud_ram_policy.guard[0].policy_name
  policy_type = "Custom"
}

resource "alicloud_ram_role_policy_attachment" "guard" {
  for_each    = var.roles
  role_name   = each.key
  policy_name = alicloud_ram_policy.guard[0].policy_name
  policy_type = "Custom"
}

resource "alicloud_resource_manager_control_policy" "guard" {
  count               = local.node ? 1 : 0
  control_policy_name = "fleetwarden-guard"
  description         = "Fleetwarden denies launches without free security hardening"
  effect_scope        = "RAM"
  policy_document     = local.control_policy
  tags                = local.tags

  lifecycle {
    precondition {
      condition     = length(local.control_policy) <= 4096
      error_message = "A control policy takes 4,096 characters, and this one has ${length(local.control_policy)}: leave protect_tags or protect_role out."
    }
  }
}

resource "alicloud_resource_manager_control_policy_attachment" "guard" {
  for_each  = var.nodes
  policy_id = alicloud_resource_manager_control_policy.guard[0].id
  target_id = each.key
}
