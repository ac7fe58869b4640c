{{/* Labels of every object; takes the root context and the name of a component. */}}
{{- define "catalogue.labels" -}}
{{ include "catalogue.selector" . }}
app.kubernetes.io/part-of: {{ .root.Values.partOf }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "catalogue.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* A pod that meets the restricted Pod Security Standard; takes also the arguments and the resources. */}}
{{- define "catalogue.pod" -}}
metadata:
  labels:
    {{- include "catalogue.selector" . | nindent 4 }}
    app.kubernetes.io/part-of: {{ .root.Values.partOf }}
spec:
  serviceAccountName: {{ .root.Release.Name }}
  automountServiceAccountToken: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: {{ .component }}
      image: {{ printf "%s:%s" .root.Values.image.repository .root.Values.image.tag }}
      args:
        {{- toYaml .arguments | nindent 8 }}
        - --log-level={{ .root.Values.logLevel }}
      ports:
        - name: http
          containerPort: 8080
      livenessProbe:
        httpGet:
          path: /healthz
          port: http
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 1
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop:
            - ALL
{{- end }}
