// Package suggest finds the name that was probably meant.
package suggest

import "strings"

// Nearest is the name that was probably meant: another case, or a slip of a letter or two.
func Nearest(name string, names []string) string {
	best, bestDistance := "", max(1, len(name)/4)+1
	for _, each := range names {
		if strings.EqualFold(each, name) {
			return each
		}
		if distance := slips(strings.ToLower(name), strings.ToLower(each), bestDistance); distance < bestDistance {
			best, bestDistance = each, distance
		}
	}
	return best
}

// slips counts letters put in, left out, changed, or swapped with the next one; from limit on it does not matter how many.
func slips(first, second string, limit int) int {
	if len(first)-len(second) >= limit || len(second)-len(first) >= limit {
		return limit
	}
	before, previous := make([]int, len(second)+1), make([]int, len(second)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(first); i++ {
		current := make([]int, len(second)+1)
		current[0] = i
		for j := 1; j <= len(second); j++ {
			changed := previous[j-1]
			if first[i-1] != second[j-1] {
				changed++
			}
			current[j] = min(previous[j]+1, current[j-1]+1, changed)
			if i > 1 && j > 1 && first[i-1] == second[j-2] && first[i-2] == second[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous = previous, current
	}
	return previous[len(second)]
}
