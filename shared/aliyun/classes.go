package aliyun

import (
	"net/http"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
)

// rpc is the gateway and all RPC products together; MNS, OSS and SLS have their own protocols.
const rpc = "rpc"

// classes are the codes of each product by meaning. Codes are compared whole: a prefix or
// suffix decides nothing (Forbidden.InstanceNotFound is about a released instance, and
// InvalidAction.NotFound about no resource at all). They are those of the products' error
// tables; synonyms and transient ones are those that the vendor's Terraform provider waits
// for (aliyun/terraform-provider-alicloud, alicloud/errors.go and its services). A code
// that is not here is classified by its status; see [classify].
var classes = []struct {
	product string
	class   fleet.Class
	codes   string // separated by blanks
}{
	{rpc, fleet.Throttled, `Throttling Throttling.User Throttling.Api Throttling.Resource Throttling.AllocationQuota
		Throttling.ConcurrentLimitExceeded Rejected.Throttling`},
	{rpc, fleet.Throttled, `SystemBusy ServiceBusy`},
	{rpc, fleet.Unavailable, `ServiceUnavailable InternalError UnknownError`},
	// A request came twice: each try has its own nonce, and the first may have been
	// executed.
	{rpc, fleet.Unavailable, `SignatureNonceUsed`},
	{rpc, fleet.Denied, `NoPermission Forbidden Forbidden.RAM Forbidden.NoPermission Forbidden.Unauthorized Forbidden.RiskControl
		Forbidden.AccountNotActive AccessDenied SignatureDoesNotMatch IncompleteSignature InvalidAccessKeyId
		InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive InvalidSecurityToken.Expired InvalidSecurityToken.Malformed
		InvalidSecurityToken.NoExist InvalidSecurityToken.MismatchWithAccessKey MissingSecurityToken`},
	// The API or the region was not found, and no resource.
	{rpc, fleet.Invalid, `InvalidAction.NotFound InvalidVersion InvalidVersion.NotFound InvalidRegionId InvalidRegionId.NotFound`},
	{rpc, fleet.Invalid, `InvalidParameter InvalidArgument MissingParameter InvalidParameter.PageNumber InvalidParameter.PageSize
		InvalidTimeStamp.Expired InvalidTimeStamp.Format RequestEntityTooLarge`},

	{"ecs", fleet.NotFound, instancesGone},
	{"ecs", fleet.NotFound, `InvalidRamRole.NotFound InvalidImageId.NotFound InvalidSnapshotId.NotFound InvalidDiskId.NotFound
		InvalidCmdId.NotFound InvalidInvokeId.NotFound InvalidLaunchTemplate.NotFound InvalidLaunchTemplateVersion.NotFound
		InvalidResourceId.NotFound InvalidVSwitchId.NotFound InvalidSecurityGroupId.NotFound InvalidZoneId.NotFound
		InvalidInstanceType.NotFound InvalidAccount.NotFound InvalidParameter.KMSKeyId.NotFound`},
	{"ecs", fleet.Busy, `OperationConflict TaskConflict InvalidOperation.Conflict IncorrectInstanceStatus
		IncorrectInstanceStatus.Initializing IncorrectDiskStatus IncorrectDiskStatus.Initializing IncorrectImageStatus
		IncorrectSnapshotStatus LastTokenProcessing LastRequestProcessing LastOrderProcessing`},
	{"ecs", fleet.Absent, `RegionId.ApiNotSupported`}, // Cloud Assistant's APIs, HTTP 400
	{"ecs", fleet.Denied, `InvalidUser.PassRoleForbidden AssumeRoleError InvalidParameter.KMSKeyId.CMKUnauthorized
		InvalidParameter.KMSKeyId.KMSUnauthorized InvalidParameter.KMSKeyId.CMKNotEnabled`},
	{"ecs", fleet.Limit, `QuotaExceed.TagNum QuotaExceed.ShareImageUser Invocation.ExceedQuota CmdCount.ExceedQuota`},
	{"ecs", fleet.Unavailable, `InternalError.Dispatch`},
	// The instances, the role or the resource are of a kind that the call does not take.
	{"ecs", fleet.Invalid, `InvalidInstance.NotMatch InvalidNetworkType.MismatchRamRole InvalidRamRole.NotEcsRole
		InvalidOperation.RamRoleAlreadyAttached InvalidOperation.DeletionProtection Image.Public Image.NotPublic
		InvalidOperation.ServiceKeyEncryptedImageUnsupported InvalidOperation.ServiceKeyEncryptedSnapshotUnsupported
		OperationDeined.FullImage OperationDeined.EncryptedSnapshot ImageNotSupportInstanceType InvalidAccount.Forbbiden
		InvalidSnapshotType.NotSupported InvalidDiskCategory.NotSupported`},
	{"ecs", fleet.Invalid, `DryRunOperation DRYRUN.SUCCESS`}, // the answer of a dry run
	{"ecs", fleet.Invalid, `InvalidInstanceIds.Malformed InvalidDiskIds.Malformed InvalidSnapshotIds.Malformed InstanceIds.ExceedLimit
		InvalidParameter.AllEmpty InvalidParameter.Amount InvalidParameter.BatchOptimization InvalidParameter.Conflict
		InvalidParameter.DataDiskNum InvalidParameter.DiskIds.Length InvalidParameter.EncryptedIllegal InvalidParameter.InstanceId
		InvalidParameter.InstanceId.Length InvalidParameter.InstanceIds.Length InvalidParameter.InstanceTypes
		InvalidParameter.InstanceTypes.Length InvalidParameter.IsPublic InvalidParameter.NextToken InvalidParameter.OSType
		InvalidParameter.Parameters InvalidParameter.ResourceArns.Length InvalidParameter.ResourceId
		InvalidParameter.ResourceId.Length InvalidParameter.Resources.Length InvalidParameter.SnapshotIds.Length
		InvalidParameter.StoppedMode InvalidParameter.TagNum InvalidParameter.Targets.Length InvalidParameter.Timeout
		InvalidParameter.TrustedSystemMode InvalidParameter.WorkingDir InvalidPolicy.Malformed InvalidRepeatMode.NotFound
		InvalidResourceType.NotFound InvalidCmdType.NotFound InvalidDestinationRegionId.NotFound InvalidFilterValue
		InvalidHttpEndpoint.ValueNotSupported InvalidHttpTokens.ValueNotSupported InvalidStatus.ValueNotSupported
		InvalidSecurityEnhancementStrategy.ValueNotSupported InvalidSystemDiskCategory.ValueNotSupported
		InvalidTagKey.Malformed InvalidTagValue.Malformed InvalidUserData.Base64FormatInvalid InvalidUserData.SizeExceeded
		InvalidVSwitchId.Necessary InvalidClientToken.Malformed IdempotentParameterMismatch MissingParam.InstanceId`},
	{"ecs", fleet.Invalid, `CmdContent.DecodeError CmdContent.ExceedLimit CmdDesc.ExceedLimit CmdName.ExceedLimit CmdParam.EmptyKey
		CmdParam.InvalidParamName CmdParamName.ExceedLimit Parameter.Disabled Parameter.MissingValue Parameter.NotMatched
		ParameterCount.ExceedLimit ParameterKey.ExceedLimit ParameterType.NotSupported Username.ExceedLimit`},

	{"actiontrail", fleet.NotFound, `TrailNotFoundException`},
	{"actiontrail", fleet.Exists, `TrailAlreadyExistsException`},
	{"actiontrail", fleet.Limit, `MaximumNumberOfTrailsExceededException`},
	{"actiontrail", fleet.Invalid, `InvalidTrailNameException`},

	{"fc", fleet.NotFound, `FunctionNotFound TriggerNotFound AsyncConfigNotExists OnDemandConfigNotFound`},
	{"fc", fleet.Exists, `FunctionAlreadyExists TriggerAlreadyExists`},
	{"fc", fleet.Invalid, `FunctionNotEmpty FunctionInvocationDisabled`},

	{"cms", fleet.NotFound, `ResourceNotFound`}, // the namespace or the metric

	{"eventbridge", fleet.NotFound, `EventRuleNotExisted EventBusNotExist`}, // HTTP 200

	{"ram", fleet.NotFound, `EntityNotExist EntityNotExist.Role EntityNotExist.Role.Policy EntityNotExist.Policy EntityNotExist.Policy.Version`},
	{"ram", fleet.Exists, `EntityAlreadyExists.Role EntityAlreadyExists.Role.Policy EntityAlreadyExists.Policy`},
	{"ram", fleet.Limit, `LimitExceeded.Role LimitExceeded.Role.Policy LimitExceeded.Policy LimitExceeded.Policy.Version`},
	{"ram", fleet.Busy, `ConcurrentCallNotSupported ConcurrentModification`},
	{"ram", fleet.Invalid, `DeleteConflict.Role.Policy DeleteConflict.Policy.Role DeleteConflict.Policy.Version DeleteConflict.Policy.Version.Default
		MalformedPolicyDocument MissingResourceNames MissingTag InvalidParameter.Description.Length InvalidParameter.MaxItems InvalidParameter.MaxSessionDuration
		InvalidParameter.PolicyDocument.Length InvalidParameter.PolicyName.InvalidChars InvalidParameter.PolicyType
		InvalidParameter.ResourceType InvalidParameter.RoleName.InvalidChars InvalidParameter.RotateStrategy`},

	{"sts", fleet.NotFound, `EntityNotExist.Role`},
	{"sts", fleet.Invalid, `InvalidParameter.RoleArn InvalidParameter.RoleSessionName InvalidParameter.DurationSeconds`},

	{"kms", fleet.NotFound, `Forbidden.KeyNotFound Forbidden.AliasNotFound Forbidden.ResourceNotFound`}, // HTTP 404; the last of secrets
	{"kms", fleet.Denied, `Rejected.Disabled`},                                                          // HTTP 409: the key of what is to be decrypted
	{"kms", fleet.Exists, `Rejected.AlreadyExists`},
	{"kms", fleet.Limit, `Rejected.LimitExceeded`},

	// DirectMail: error table of SingleSendMail. Its spam filter also refuses for frequency and quota.
	{"dm", fleet.NotFound, `InvalidMailAddress.NotFound`}, // the sender's, in this region
	{"dm", fleet.Denied, `InvalidMailAddressStatus.Malformed InvalidMailAddressDomain.Malformed InvalidMailAddressSendType.Malformed`},
	{"dm", fleet.Limit, `InvalidSendMail.Spam`},
	{"dm", fleet.Invalid, `InvalidToAddress InvalidToAddress.Spam InvalidSubject.Malformed InvalidBody InvalidFromAlias.Malformed
		InvalidFromALias.Malformed InvalidReplyAddress.Malformed InvalidReplyAddressAlias.Malformed`},

	{"sas", fleet.Denied, `RdCheckNoPermission`},
	{"sas", fleet.Unavailable, `ServerError RdCheckInnerError`},

	{"actiontrail", fleet.Invalid, `InvalidQueryParameter`},

	// Resource Management writes EntityNotExists, RAM EntityNotExist.
	{"resourcemanager", fleet.Exists, `EntityAlreadyExists.Role`},
	{"resourcemanager", fleet.Invalid, `InvalidParameter.ServiceName NotSupport.CustomSuffix`},
	{"resourcemanager", fleet.NotFound, `EntityNotExist.Role EntityNotExist.DeletionTask EntityNotExists.Account EntityNotExists.Folder EntityNotExists.ResourceDirectory ResourceDirectoryNotInUse`},

	{"resourcesharing", fleet.NotFound, `EntityNotExists.ResourceShare EntityNotExists.ResourceShareInvitation EntityNotExists.Permission`},
	{"resourcesharing", fleet.Invalid, `AccountNotInResourceDirectory DeleteResourceShareConflict DisassociateConflict DisassociateInvalid
		InvalidOperation.ServiceKeyEncryptedImageUnsupported InvalidOperation.ServiceKeyEncryptedSnapshotUnsupported
		InvalidTarget InvitationStatus.AlreadyAccepted InvitationStatus.AlreadyRejected InvitationStatus.Expired LeavingFailed.Account
		OperationNotPermitted ResourceAndTargetBothEmpty ResourceShareStatusMismatchAction`},
	{"resourcesharing", fleet.Invalid, `InvalidParameter.AssociationStatus InvalidParameter.AssociationType InvalidParameter.MaxResults
		InvalidParameter.NextToken InvalidParameter.NextToken.Length InvalidParameter.ResourceArns
		InvalidParameter.ResourceArns.Duplicate InvalidParameter.ResourceArns.Length InvalidParameter.ResourceConflict
		InvalidParameter.ResourceIds.Duplicate InvalidParameter.ResourceIds.Length InvalidParameter.ResourceOwner
		InvalidParameter.ResourceShareIds.Duplicate InvalidParameter.ResourceShareIds.Length
		InvalidParameter.ResourceShareInvitationIds.Duplicate InvalidParameter.ResourceShareInvitationIds.Length
		InvalidParameter.ResourceShareName InvalidParameter.ResourceShareStatus InvalidParameter.ResourceType
		InvalidParameter.Resources InvalidParameter.Resources.Duplicate InvalidParameter.Targets
		InvalidParameter.Targets.Duplicate InvalidParameter.Targets.Length`},

	{"mns-open", fleet.NotFound, `QueueNotExist`},

	{"mns", fleet.Throttled, `QpsLimitExceeded`}, // HTTP 400
	{"mns", fleet.Busy, `QueueDeletedRecently`},
	{"mns", fleet.Unavailable, `InternalError InternalServerError ServiceUnavailable`},
	{"mns", fleet.NotFound, `QueueNotExist MessageNotExist`},
	{"mns", fleet.Exists, `QueueAlreadyExist`}, // with other attributes
	{"mns", fleet.Denied, `AccessDenied InvalidAccessKeyId SignatureDoesNotMatch`},
	{"mns", fleet.Invalid, `InvalidArgument InvalidAuthorizationHeader InvalidDateHeader InvalidDegist InvalidDigest InvalidQueryString
		InvalidQueueName InvalidRequestURL MalformedXML MissingAuthorizationHeader MissingDateHeader MissingReceiptHandle
		MissingVersionHeader MissingVisibilityTimeout QueueNameLengthError ReceiptHandleError TimeExpired`},

	// SLS: its page on error codes, and that of GetLogs.
	{"sls", fleet.Throttled, `ReadQuotaExceed ExceedQuota`}, // HTTP 403
	{"sls", fleet.Unavailable, `InternalServerError ServerBusy`},
	{"sls", fleet.NotFound, `ProjectNotExist LogStoreNotExist IndexConfigNotExist`},
	{"sls", fleet.Denied, `Unauthorized SignatureNotMatch`}, // HTTP 401
	{"sls", fleet.Invalid, `ParameterInvalid InvalidTimeRange InvalidLine InvalidOffset InvalidMethod InvalidAPIVersion InvalidSignatureMethod
		InvalidDateFormat InvalidContentType InvalidContentMD5 RequestTimeExpired PostBodyInvalid PostBodyTooLarge`},

	// OSS: "HTTP status code 503" and "429" of its guide list what is refused by flow control.
	{"oss", fleet.Throttled, `QpsLimitExceeded TotalQpsLimitExceeded MetaOperationQpsLimitExceeded DownloadTrafficRateLimitExceeded
		UploadTrafficRateLimitExceeded ActiveRequestLimitExceeded CpuLimitExceeded`},
	{"oss", fleet.Unavailable, `InternalError ServiceUnavailable RequestTimeout`},
	{"oss", fleet.NotFound, `NoSuchLifecycle NoSuchPublicAccessBlockConfiguration NoSuchServerSideEncryptionRule
		NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchTransferAccelerationConfiguration NoSuchWebsiteConfiguration NoSuchKey`},
	{"oss", fleet.Exists, `FileAlreadyExists`},
	{"oss", fleet.Denied, `AccessDenied InvalidAccessKeyId SignatureDoesNotMatch SecurityTokenExpired InvalidSecurityToken UserDisable`},
	// NoSuchBucket does not concern the requested object.
	{"oss", fleet.Invalid, `NoSuchBucket BucketAlreadyExists RequestTimeTooSkewed EntityTooLarge InvalidArgument InvalidBucketName
		InvalidObjectName MethodNotAllowed InvalidDigest InvalidRange MalformedXML NoSuchVersion NotImplemented NotModified PreconditionFailed`},
}

const (
	// instancesGone are ECS's codes for a missing instance.
	instancesGone = `InvalidInstanceId.NotFound InvalidInstanceIds.NotFound InvalidInstance.NotFound InvalidEcsId.NotFound
		Forbidden.InstanceNotFound Instance.Notfound`
	// instancesUnfit are those with which ECS refuses a call for one of its instances.
	instancesUnfit = `InvalidInstance.NotMatch InvalidNetworkType.MismatchRamRole IncorrectInstanceStatus IncorrectInstanceStatus.Initializing`
)

func listed(product, code string) (fleet.Class, bool) {
	own := product == "mns" || product == "oss" || product == "sls"
	for _, c := range classes {
		if (c.product == product || c.product == rpc && !own) && holds(c.codes, code) {
			return c.class, true
		}
	}
	return fleet.Unclassified, false
}

func holds(codes, code string) bool { return slices.Contains(strings.Fields(codes), code) }

// classify returns the class of an answered failure. A code that is not listed, or none,
// goes by the status as far as HTTP defines it: 429 throttled, 5xx unavailable, or lost for
// a write. All others are Unclassified, 400 and 404 too: the products send both for many
// cases that are neither a mistake in the request nor a missing resource.
func classify(product string, status int, code string, write bool) fleet.Class {
	class, ok := listed(product, code)
	switch {
	case ok:
	case status >= http.StatusInternalServerError:
		class = fleet.Unavailable
	case status == http.StatusTooManyRequests:
		class = fleet.Throttled
	}
	if class == fleet.Unavailable && write {
		return fleet.Lost
	}
	return class
}
