package main

func kyvernoPolicies(*world, *policiesRequest) ([]policy, []statement) { return nil, nil }
