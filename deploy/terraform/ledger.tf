# The bucket of the ledger: runs, plans, intents and outcomes, for all regions.

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
    noncurrent_version_expiration {
      days = 1
    }
  }

  lifecycle {
    # It says what was changed, and how to undo it.
    prevent_destroy = true
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

resource "alicloud_oss_bucket_versioning" "ledger" {
  count  = local.home ? 1 : 0
  bucket = alicloud_oss_bucket.ledger[0].bucket
  status = "Enabled"
}

resource "alicloud_oss_bucket_server_side_encryption" "ledger" {
  count         = local.home ? 1 : 0
  bucket        = alicloud_oss_bucket.ledger[0].bucket
  sse_algorithm = "AES256"
}
