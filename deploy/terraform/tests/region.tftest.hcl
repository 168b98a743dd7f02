# Another region than home, with a provider that is not asked: TF_WORKSPACE=cn-shanghai
# terraform test -filter=tests/region.tftest.hcl ("make deploy-check").

mock_provider "alicloud" {
  mock_data "alicloud_account" {
    defaults = { id = "1000000000000001" }
  }
  mock_data "alicloud_oss_buckets" {
    defaults = { names = ["fleetwarden-1000000000000001"], buckets = [{ name = "fleetwarden-1000000000000001", location = "oss-cn-hangzhou", versioning = [] }] }
  }
}

variables {
  region      = "cn-shanghai"
  home_region = "cn-hangzhou"
}

run "what_is_made_in_another_region" {
  command = plan

  assert {
    condition     = length(alicloud_message_service_queue.inbox) + length(alicloud_message_service_queue.end) == 4
    error_message = "Another region has ${length(alicloud_message_service_queue.inbox) + length(alicloud_message_service_queue.end)} queues."
  }
  assert {
    condition     = length(alicloud_ram_role.function) + length(alicloud_ram_policy.global) + length(alicloud_oss_bucket.ledger) + length(alicloud_actiontrail_trail.this) == 0
    error_message = "What the account has once is made in another region."
  }
  assert {
    condition     = length(alicloud_ram_policy.regional) == 1 && length(alicloud_event_bridge_rule.to_inbox) == 4
    error_message = "The region's own policy or rules are missing."
  }
}

run "before_its_home_a_region_is_refused" {
  command = plan
  override_data {
    target = data.alicloud_oss_buckets.ledger
    values = { names = [], buckets = [] }
  }
  expect_failures = [data.alicloud_oss_buckets.ledger]
}
