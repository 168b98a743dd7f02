# The home region, with a provider that is not asked: TF_WORKSPACE=cn-hangzhou terraform test
# -filter=tests/home.tftest.hcl ("make deploy-check").

mock_provider "alicloud" {
  mock_data "alicloud_account" {
    defaults = { id = "1000000000000001" }
  }
  mock_data "alicloud_oss_buckets" {
    defaults = { names = [], buckets = [] }
  }
}

variables {
  region      = "cn-hangzhou"
  home_region = "cn-hangzhou"
}

run "what_is_made_at_home" {
  command = plan

  assert {
    condition     = length(alicloud_message_service_queue.inbox) + length(alicloud_message_service_queue.end) == 7
    error_message = "The home region has ${length(alicloud_message_service_queue.inbox) + length(alicloud_message_service_queue.end)} queues."
  }
  assert {
    condition     = length(alicloud_ram_role.function) == length(alicloud_ram_policy.global) && length(alicloud_ram_policy.regional) == 1
    error_message = "A function has not one policy, or another than push-agent names commands."
  }
  assert {
    condition     = alicloud_actiontrail_trail.this[0].status == "Enable" && length(alicloud_oss_bucket.ledger) == 1
    error_message = "There is no ledger, or the trail is not started."
  }
  assert {
    condition     = length(alicloud_sls_alert.this) + length(alicloud_cms_alarm.dead_letters) + length(alicloud_event_bridge_event_bus.members) == 0
    error_message = "Alarms or the members' bus are made unasked."
  }
}

run "alarms_and_members_when_they_are_named" {
  command = plan
  variables {
    alarm_contacts = ["on-call"]
    alarm_policy   = "on-call"
    members        = ["1000000000000003"]
  }

  assert {
    condition     = length(alicloud_sls_alert.this) == 4 && length(alicloud_cms_alarm.dead_letters) == 1
    error_message = "Alarms are missing."
  }
  assert {
    condition     = length([for r in alicloud_event_bridge_rule.to_inbox : r if r.event_bus_name == "fleetwarden-members" && strcontains(r.filter_pattern, "\"aliyunoriginalaccountid\":[\"1000000000000003\"]")]) == 7 && strcontains(alicloud_ram_role.members[0].assume_role_policy_document, "1000000000000003@eventbridge.aliyuncs.com")
    error_message = "The members' events do not arrive."
  }
}

run "the_workspace_of_another_region_is_refused" {
  command = plan
  variables {
    region = "cn-shanghai"
  }
  expect_failures = [data.alicloud_account.this]
}

run "another_account_is_refused" {
  command = plan
  variables {
    account = "1000000000000002"
  }
  expect_failures = [data.alicloud_account.this]
}

run "another_account_than_that_of_the_functions_is_refused" {
  command = plan
  variables {
    functions_account = "1000000000000002"
  }
  expect_failures = [data.alicloud_account.this]
}

run "a_second_home_region_is_refused" {
  command = plan
  override_data {
    target = data.alicloud_oss_buckets.ledger
    values = { names = [], buckets = [{ name = "fleetwarden-1000000000000001", location = "oss-cn-beijing", versioning = [] }] }
  }
  expect_failures = [data.alicloud_oss_buckets.ledger]
}

run "a_ledger_with_versioning_is_refused" {
  command = plan
  override_data {
    target = data.alicloud_oss_buckets.ledger
    values = { names = [], buckets = [{ name = "fleetwarden-1000000000000001", location = "oss-cn-hangzhou", versioning = [{ status = "Suspended" }] }] }
  }
  expect_failures = [alicloud_oss_bucket.ledger]
}
