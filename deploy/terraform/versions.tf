# What s.yaml cannot hold. Applied once for each guarded region, in a workspace of that
# name, the home region first: "make deploy" does so, with REGION and HOME_REGION.
# Regional things are made in each; roles, ledger and trail in the home region alone.

terraform {
  required_version = ">= 1.4" # workspace select -or-create
  required_providers {
    alicloud = {
      source  = "aliyun/alicloud"
      version = ">= 1.252.0, < 2.0.0" # dead-letter policies since 1.244, role_name since 1.252
    }
  }
}

# Credentials come from the environment or from a profile of the aliyun CLI, never from
# a file here.
provider "alicloud" {
  region = var.region
}

# The caller must deploy into the account that was meant.
data "alicloud_account" "this" {
  lifecycle {
    postcondition {
      condition     = var.account == "" || self.id == var.account
      error_message = "These credentials are of account ${self.id}, not of ${var.account}."
    }
  }
}

locals {
  account = data.alicloud_account.this.id
  home    = var.region == var.home_region
  deploy  = "${path.module}/.."
}
