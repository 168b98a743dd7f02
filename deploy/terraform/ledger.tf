# The bucket of the ledger: runs, plans, intents and outcomes, for all regions.
#
# It has no versioning: where versioning is enabled, or was suspended, OSS ignores
# x-oss-forbid-overwrite, and objects that are to stay as they are get replaced.
#
# It also remembers the home region, which is where it stands: every workspace compares.

# Buckets are listed for all regions at once; what is asked of each, as its versioning,
# is answered in its own region alone.
data "alicloud_oss_buckets" "ledger" {
  name_regex = "^fleetwarden-${local.account}$"

  lifecycle {
    postcondition {
      condition     = length(self.buckets) > 0 || local.home
      error_message = "There is no bucket fleetwarden-${local.account} yet: deploy the home region, ${var.home_region}, first."
    }
    postcondition {
      condition     = alltrue([for b in self.buckets : b.location == lookup(local.oss_names, var.home_region, "oss-${var.home_region}")])
      error_message = "The home region of account ${local.account} is where its ledger fleetwarden-${local.account} stands, ${join("", self.buckets[*].location)}, and not ${var.home_region}. An account has one."
    }
  }
}

locals {
  # OSS calls some regions by names of its own.
  oss_names = {
    cn-hangzhou-finance   = "oss-cn-hzfinance"
    cn-shenzhen-finance-1 = "oss-cn-szfinance"
  }
}

# A ledger outlives its deployment ("make remove" leaves it). A later deployment takes it
# up again; what its settings are, the resources below write again.
import {
  for_each = local.home ? toset(data.alicloud_oss_buckets.ledger.names) : toset([])
  to       = alicloud_oss_bucket.ledger[0]
  id       = each.value
}

resource "alicloud_oss_bucket" "ledger" {
  count  = local.home ? 1 : 0
  bucket = "fleetwarden-${local.account}"
  tags   = local.tags

  # The report of a sweep has its parts when it has ended; the report, the plans and the
  # changes are kept.
  lifecycle_rule {
    id      = "parts-of-sweeps"
    prefix  = "ledger/sweeps/"
    enabled = true
    expiration {
      days = var.keep_sweeps
    }
  }

  # A sweep carries on what the one before remembers, for eight days at most.
  lifecycle_rule {
    id      = "memory"
    prefix  = "ledger/memory/"
    enabled = true
    expiration {
      days = 30
    }
  }

  # A card is tried for a day, and may be a dead letter for a week.
  lifecycle_rule {
    id      = "notify"
    prefix  = "ledger/notify/"
    enabled = true
    expiration {
      days = 30
    }
  }

  lifecycle {
    # It says what was changed, and how to undo it.
    prevent_destroy = true
    precondition {
      condition     = length(flatten(data.alicloud_oss_buckets.ledger.buckets[*].versioning)) == 0
      error_message = "The bucket fleetwarden-${local.account} has, or had, versioning, which can never be taken away, and cannot be a ledger. Copy what is to be kept, delete the bucket, take it out of the state (terraform state rm) and apply again."
    }
    # Resources of their own, below.
    ignore_changes = [versioning, server_side_encryption_rule]
  }
}

resource "alicloud_oss_bucket_acl" "ledger" {
  count  = local.home ? 1 : 0
  bucket = alicloud_oss_bucket.ledger[0].bucket
  acl    = "private"
}

resource "alicloud_oss_bucket_public_access_block" "ledger" {
  count               = local.home ? 1 : 0
  bucket              = alicloud_oss_bucket.ledger[0].bucket
  block_public_access = true
}

resource "alicloud_oss_bucket_server_side_encryption" "ledger" {
  count         = local.home ? 1 : 0
  bucket        = alicloud_oss_bucket.ledger[0].bucket
  sse_algorithm = "AES256"
}
