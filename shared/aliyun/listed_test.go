package aliyun

// Listed reports whether the product's code is known.
func Listed(product, code string) bool {
	_, ok := listed(product, code)
	return ok
}
