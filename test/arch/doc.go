// Package arch holds the repository's rules as tests: who may import whom and why,
// which packages are pure, and that every package says what lives in it. It reads
// source text and holds no code that anything else uses.
package arch
