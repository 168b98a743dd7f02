package main

import (
	"context"
	_ "embed" // for the rules
	"fmt"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

//go:embed rules.rego
var regoRules string

//go:embed rules.cel
var celRules string

// newOPA prepares the query once, as OPA's documentation advises, and takes facts
// that are already values of its own.
func newOPA(ctx context.Context) (engine, error) {
	query, err := rego.New(rego.Query("data.fleetwarden.verdicts"), rego.Module("rules.rego", regoRules)).PrepareForEval(ctx)
	if err != nil {
		return engine{}, fmt.Errorf("preparing OPA: %w", err)
	}
	return engine{
		prepare: func(facts map[string]any) (any, error) { return ast.InterfaceToValue(facts) },
		decide: func(input any) (said, error) {
			rs, err := query.Eval(ctx, rego.EvalParsedInput(input.(ast.Value)))
			if err != nil {
				return nil, err
			}
			if len(rs) != 1 {
				return nil, fmt.Errorf("%d results", len(rs))
			}
			verdicts, ok := rs[0].Expressions[0].Value.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("a result of type %T", rs[0].Expressions[0].Value)
			}
			out := said{}
			for rule, text := range verdicts {
				out[rule], _ = text.(string)
			}
			return out, nil
		},
	}, nil
}

// newCEL compiles the expression once, with the optimizations that it offers.
func newCEL() (engine, error) {
	env, err := cel.NewEnv(ext.Bindings(), ext.Strings(), cel.Variable("i", cel.DynType), cel.Variable("p", cel.DynType), cel.Variable("own", cel.DynType))
	if err != nil {
		return engine{}, fmt.Errorf("preparing CEL: %w", err)
	}
	checked, issues := env.Compile(celRules)
	if issues.Err() != nil {
		return engine{}, fmt.Errorf("compiling the CEL rules: %w", issues.Err())
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return engine{}, fmt.Errorf("preparing CEL: %w", err)
	}
	texts := reflect.TypeFor[map[string]string]()
	return engine{
		prepare: func(facts map[string]any) (any, error) { return facts, nil },
		decide: func(facts any) (said, error) {
			v, _, err := program.Eval(facts)
			if err != nil {
				return nil, err
			}
			native, err := v.ConvertToNative(texts)
			if err != nil {
				return nil, err
			}
			out := said{}
			for rule, text := range native.(map[string]string) {
				if text != "" {
					out[rule] = text
				}
			}
			return out, nil
		},
	}, nil
}
