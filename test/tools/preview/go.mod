module fleetwarden/test/tools/preview

go 1.26

require (
	fleetwarden v0.0.0
	github.com/google/go-cmp v0.7.0
	go.yaml.in/yaml/v3 v3.0.4
)

require github.com/robfig/cron/v3 v3.0.1 // indirect

replace fleetwarden => ../../..
