variable "account" {
  description = "The account to deploy into; a guard against the wrong credentials. Empty: whichever they are of."
  type        = string
  default     = ""
}

variable "functions_account" {
  description = "The account that the functions are deployed into, which make deploy finds out and passes. Empty: not compared."
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
  description = "The region of the roles' policies, the ledger and the trail; s.yaml puts what exists once there. It is remembered by the ledger: an account has one."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+(-[a-z0-9]+)+$", var.home_region))
    error_message = "A region id is like cn-hangzhou."
  }
}

variable "deployment" {
  description = "The value of the tag fleetwarden:deployment, by which what belongs to this deployment is known."
  type        = string
  default     = "main"
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", var.deployment)) # it gets into a shell
    error_message = "A deployment is named by letters, digits, dots, dashes and underscores."
  }
}

variable "policy" {
  description = "The policy file that is deployed, from this folder. It says whether there is a queue of findings."
  type        = string
  default     = "../policy.yaml"
}

variable "optional" {
  description = "Rights beyond the least, by file name in deploy/ram/optional without .json, for example [\"attach-role-grant\"]. The policy file must ask for what they allow."
  type        = set(string)
  default     = []
}

variable "members" {
  description = "The member accounts whose events arrive here; see members.tf. The policy file and the member's role say what is done with them."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for member in var.members : can(regex("^[0-9]{1,32}$", member))])
    error_message = "An account is a number."
  }
}

variable "trail" {
  description = "Whether to make an ActionTrail trail. Not if the account, or its resource directory, has one."
  type        = bool
  default     = true
}

variable "trail_days" {
  description = "How long the trail's records are kept, in days."
  type        = number
  default     = 180
}

variable "log_days" {
  description = "How long the functions' logs are kept, in days. What was changed is in the ledger, too, and stays there."
  type        = number
  default     = 90
}

variable "alarm_contacts" {
  description = "Contact groups of CloudMonitor that are notified when dead letters wait. Empty: none."
  type        = set(string)
  default     = []
}

variable "alarm_policy" {
  description = "The id of an action policy of Log Service by which alerts are sent: failed functions, sweeps that have not ended, a stopped trail. Empty: no alerts."
  type        = string
  default     = ""
}

variable "keep_sweeps" {
  description = "How many days the parts of a sweep are kept, from which plans and tables are made. Reports are kept."
  type        = number
  default     = 90
}
