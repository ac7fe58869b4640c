{{- define "part.labels" -}}
team: {{ .Values.team | default "blue" | quote }}
{{- end }}
