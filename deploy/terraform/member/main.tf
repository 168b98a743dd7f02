# The role of a member account that the functions of the home account assume there, from
# deploy/ram/member. Applied with the credentials of the member, once for each member, in
# a workspace of the account's number; the home account's roles must stand before:
#
#   terraform -chdir=deploy/terraform/member init
#   terraform -chdir=deploy/terraform/member workspace select -or-create 1000000000000003
#   terraform -chdir=deploy/terraform/member apply -var member=1000000000000003 -var home=1000000000000001
#
# Then the policy file of the home account names the member with this role, and the
# functions get optional = ["attach-role-members", …] in the home account. With many
# members, a stack group of Resource Orchestration Service makes the role in all of them.
# The member's events are memberevents, for each region.

terraform {
  required_version = ">= 1.5"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "1.289.0"
    }
  }
}

variable "member" {
  description = "The account to make the role in; a guard against the wrong credentials."
  type        = string
}

variable "home" {
  description = "The account that the functions run in."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{1,32}$", var.home))
    error_message = "An account is a number."
  }
}

variable "role" {
  description = "The role's name, as the policy file has it. Another one needs optional policies of its own, too."
  type        = string
  default     = "FleetwardenMember"
}

variable "optional" {
  description = "Rights beyond the least, by file name in deploy/ram/optional without .json: those that the functions have in the home account, but for <function>-members and <function>-findings."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for name in var.optional : !endswith(name, "-members") && !endswith(name, "-findings")])
    error_message = "Nothing is assumed from a member's role, and the queue of findings is the home account's: leave <function>-members and <function>-findings out."
  }
}

variable "deployment" {
  description = "The value of the tag fleetwarden:deployment, as in the home account."
  type        = string
  default     = "main"
}

data "alicloud_account" "this" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == var.member
      error_message = "The workspace ${terraform.workspace} is not of the member ${var.member}, whose state it would replace: terraform workspace select -or-create ${var.member}."
    }
    postcondition {
      condition     = self.id == var.member
      error_message = "These credentials are of account ${self.id}, not of ${var.member}."
    }
  }
}

locals {
  ram  = "${path.module}/../../ram"
  tags = { "fleetwarden:deployment" = var.deployment }

  # One document: RAM takes 10 custom policies on a role, and there are more optional files.
  # Several of them have the same statements, which stand once.
  statements = distinct([
    for s in concat(
      jsondecode(file("${local.ram}/member/policy.json")).Statement,
      flatten([for name in sort(var.optional) : jsondecode(file("${local.ram}/optional/${name}.json")).Statement]),
    ) : jsonencode(s)
  ])
}

resource "alicloud_ram_role" "member" {
  role_name   = var.role
  description = "Assumed by Fleetwarden's functions in account ${var.home}"
  tags        = local.tags

  assume_role_policy_document = jsonencode(jsondecode(replace(file("${local.ram}/member/trust.json"), "{home}", var.home)))

  depends_on = [data.alicloud_account.this]
}

resource "alicloud_ram_policy" "member" {
  policy_name     = var.role
  description     = "Fleetwarden: deploy/ram, for the home account's functions"
  policy_document = jsonencode({ Version = "1", Statement = [for s in local.statements : jsondecode(s)] })
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
  tags            = local.tags

  depends_on = [data.alicloud_account.this]
}

resource "alicloud_ram_role_policy_attachment" "member" {
  role_name   = alicloud_ram_role.member.role_name
  policy_name = alicloud_ram_policy.member.policy_name
  policy_type = "Custom"
}
