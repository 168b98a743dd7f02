# Resources that s.yaml cannot hold. Applied once for each guarded region, in a workspace of that
# name, the home region first: "make deploy" does so, with REGION and HOME_REGION.
# Regional resources are made in each; roles, ledger and trail in the home region alone.

terraform {
  required_version = ">= 1.7" # imports for each
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = "1.289.0" # this one alone: its arguments are what the tests compare with
    }
  }
}

# Credentials come from the environment or from a profile of the aliyun CLI, never from
# a file here.
provider "alicloud" {
  region = var.region
}

# Everything else reads this, so that nothing is made, or read, with the credentials or in
# the workspace of another deployment.
data "alicloud_account" "this" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == var.region
      error_message = "The workspace ${terraform.workspace} is not of the region ${var.region}, whose state it would replace: terraform workspace select -or-create ${var.region}."
    }
    postcondition {
      condition     = var.account == "" || self.id == var.account
      error_message = "These credentials are of account ${self.id}, not of ${var.account}."
    }
    postcondition {
      condition     = var.functions_account == "" || self.id == var.functions_account
      error_message = "Terraform's credentials are of account ${self.id}, and the functions belong into ${var.functions_account}: give Terraform and Serverless Devs the same account."
    }
  }
}

locals {
  account = data.alicloud_account.this.id
  home    = var.region == var.home_region
  deploy  = "${path.module}/.."
  policy  = yamldecode(file(var.policy))

  # On everything that can carry tags. One deployment an account: who finds another value
  # has found another deployment.
  tags = { "fleetwarden:deployment" = var.deployment }
}
