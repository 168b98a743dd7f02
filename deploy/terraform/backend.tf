# The state's place, in part: the bucket, its region and the table that locks are not the
# same for everybody, and stand in state.tfbackend; see README.md. Each workspace, so each
# region, has an object of its own: fleetwarden/<region>/terraform.tfstate.

terraform {
  backend "oss" {
    prefix  = "fleetwarden"
    key     = "terraform.tfstate"
    acl     = "private"
    encrypt = true
  }
}
