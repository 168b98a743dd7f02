package aliyun

import (
	"context"
	"time"
)

// SetSleep replaces the session's waiting, so that tests need not wait.
func (s *Session) SetSleep(f func(ctx context.Context, d time.Duration) error) { s.sleep = f }
