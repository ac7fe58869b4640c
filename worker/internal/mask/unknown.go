package mask

import "strings"

// A value that cannot be known or shown travels through builds as the name of its variable in characters of Unicode's last private plane,
// which no icon font uses: so it survives YAML and is recognised in the end.
const (
	hiddenStart = '\U0010F100'
	hiddenBase  = '\U0010F000'
)

// IsHidden says whether a character is part of a hidden name.
func IsHidden(r rune) bool { return r >= hiddenBase && r <= hiddenStart }

// Hide gives the name of a variable as a text that stands for its value.
func Hide(name string) string {
	hidden := []rune{hiddenStart}
	for _, char := range name {
		hidden = append(hidden, hiddenBase+char&0xff)
	}
	return string(hidden)
}

// Reveal turns hidden names into ${NAME}, and says whether there were any.
func Reveal(text string) (string, bool) {
	if !strings.ContainsFunc(text, IsHidden) {
		return text, false
	}
	var shown strings.Builder
	inside := false
	for _, char := range text {
		if inside && (char == hiddenStart || !IsHidden(char)) {
			shown.WriteByte('}')
		}
		switch {
		case char == hiddenStart || IsHidden(char) && !inside:
			shown.WriteString("${")
			inside = true
			if char != hiddenStart {
				shown.WriteRune(char - hiddenBase)
			}
		case IsHidden(char):
			shown.WriteRune(char - hiddenBase)
		default:
			inside = false
			shown.WriteRune(char)
		}
	}
	if inside {
		shown.WriteByte('}')
	}
	return shown.String(), true
}
