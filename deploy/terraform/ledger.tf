# The bucket of the ledger: runs, plans, intents and outcomes, for all regions.
#
# It has no versioning: where versioning is enabled, or was suspended, OSS ignores
# x-oss-forbid-overwrite, and objects that are to stay as they are get replaced.

data "alicloud_oss_buckets" "ledger" {
  count      = local.home ? 1 : 0
  name_regex = "^fleetwarden-${local.account}$"
}

resource "alicloud_oss_bucket" "ledger" {
  count  = local.home ? 1 : 0
  bucket = "fleetwarden-${local.account}"

  # What a sweep found on its way is in its report when it has ended; the report, the plans
  # and what was changed are kept.
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

  lifecycle {
    # It says what was changed, and how to undo it.
    prevent_destroy = true
    precondition {
      condition     = length(flatten(data.alicloud_oss_buckets.ledger[0].buckets[*].versioning)) == 0
      error_message = "The bucket fleetwarden-${local.account} has, or had, versioning, which can never be taken away, and cannot be a ledger. Copy what is to be kept, delete the bucket, take it out of the state (terraform state rm) and apply again."
    }
    # Resources of their own, below.
    ignore_changes = [acl, versioning, server_side_encryption_rule]
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
