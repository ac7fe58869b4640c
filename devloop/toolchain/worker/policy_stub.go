package main

const longestMessage = 5 * 1024

func admissionPolicies(*world, *policiesRequest) ([]policy, []statement) { return nil, nil }
func kyvernoPolicies(*world, *policiesRequest) ([]policy, []statement)   { return nil, nil }
func foreignPolicies(*world, *policiesRequest) ([]policy, []statement)   { return nil, nil }
