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

terraform {
  required_version = ">= 1.4"
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.252.0, < 2.0.0"
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
  description = "Rights beyond the least, by file name in deploy/ram/optional without .json: those that the functions have in the home account, but for <function>-members."
  type        = set(string)
  default     = []
}

data "alicloud_account" "this" {
  lifecycle {
    postcondition {
      condition     = self.id == var.member
      error_message = "These credentials are of account ${self.id}, not of ${var.member}."
    }
  }
}

locals {
  ram = "${path.module}/../../ram"
  documents = merge(
    { (var.role) = file("${local.ram}/member/policy.json") },
    { for name in var.optional : "fleetwarden-${name}" => file("${local.ram}/optional/${name}.json") },
  )
}

resource "alicloud_ram_role" "member" {
  role_name   = var.role
  description = "Assumed by Fleetwarden's functions in account ${var.home}"

  assume_role_policy_document = jsonencode(jsondecode(replace(file("${local.ram}/member/trust.json"), "{home}", var.home)))

  depends_on = [data.alicloud_account.this]
}

resource "alicloud_ram_policy" "member" {
  for_each        = local.documents
  policy_name     = each.key
  description     = "Fleetwarden: deploy/ram, for the home account's functions"
  policy_document = jsonencode(jsondecode(each.value))
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded"
}

resource "alicloud_ram_role_policy_attachment" "member" {
  for_each    = alicloud_ram_policy.member
  role_name   = alicloud_ram_role.member.role_name
  policy_name = each.value.policy_name
  policy_type = "Custom"
}
