// Package fcapi is the control plane of Function Compute 3.0, API version 2023-03-30,
// as tools that deploy and look after functions use it: functions with their code, tags,
// triggers, asynchronous configuration, concurrency and the native stop. It keeps what it
// is given, and has a [Platform] run it; it runs nothing itself.
//
// Shapes are those of alibabacloud-go/fc-20230330 v4.3.0, paths and parameters those of
// the published metadata. What is assumed stands in deploy/local/simcloud/ASSUMPTIONS.md. Versions,
// aliases, layers, custom domains, provisioned instances and code from OSS are not here.
package fcapi
