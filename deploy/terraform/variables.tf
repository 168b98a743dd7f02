variable "account" {
  description = "The account to deploy into; a guard against the wrong credentials. Empty: whichever they are of."
  type        = string
  default     = ""
}

variable "region" {
  description = "The region of this workspace."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+(-[a-z0-9]+)+$", var.region))
    error_message = "A region id is like cn-hangzhou."
  }
}

variable "home_region" {
  description = "The region of the roles' policies, the ledger and the trail; s.yaml puts what exists once there."
  type        = string
}

variable "optional" {
  description = "Rights beyond the least, by file name in deploy/ram/optional without .json, for example [\"attach-role-grant\"]. The policy file must ask for what they allow."
  type        = set(string)
  default     = []
}

variable "trail" {
  description = "Whether to make an ActionTrail trail. Not if the account, or its resource directory, has one."
  type        = bool
  default     = true
}

variable "eventbridge_role" {
  description = "Whether to make EventBridge's service-linked role for queues. Not if the account has it."
  type        = bool
  default     = true
}

variable "trail_days" {
  description = "How long the trail's records are kept, in days."
  type        = number
  default     = 180
}

variable "keep_sweeps" {
  description = "How many days the parts of a sweep are kept, from which plans and tables are made. Reports are kept."
  type        = number
  default     = 90
}
