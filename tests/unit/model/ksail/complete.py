"""Definitions of every generation, with every field that is not deprecated."""

from __future__ import annotations

COMPLETE_G1 = """
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec:
  connection: {kubeconfig: ~/.kube/config, context: kind-local, timeout: 4m}
  project:
    configPath: ksail.yaml
    distributionConfigPath: kind.yaml
    kustomizationPath: ./k8s/clusters/local/
    containerEngine: Docker
    distribution: Kind
    deploymentTool: Flux
    cni: Cilium
    csi: LocalPathProvisioner
    ingressController: Traefik
    gatewayController: None
    metricsServer: false
    secretManager: SOPS
    editor: Vim
    mirrorRegistries: true
  deploymentTool: {flux: {source: {url: "oci://ksail-registry:5000/ksail-registry"}}}
  distribution: {showAllClustersInListings: true}
  secretManager: {sops: {publicKey: age1abc, inPlace: true, showAllKeysInListings: true, showPrivateKeysInListings: false}}
  localRegistry: {name: ksail-registry, hostPort: 5555, provider: Docker}
  generator: {overwrite: true}
  mirrorRegistries: [{name: docker.io-proxy, hostPort: 5557, provider: Podman, proxy: {url: "https://registry-1.docker.io"}}]
  publication: {publishOnUpdate: false}
  validation: {validateOnUp: true, reconcileOnUp: true, validateOnUpdate: true, reconcileOnUpdate: true, verbose: true}
"""


COMPLETE_G2 = """
apiVersion: ksail.dev/v1alpha1
kind: Cluster
spec:
  distribution: Kind
  distributionConfig: kind.yaml
  sourceDirectory: manifests
  editor: nano
  connection: {kubeconfig: ./kubeconfig, context: kind-dev, timeout: 1h30m}
  cni: Calico
  csi: LocalPathStorage
  metricsServer: Disabled
  certManager: Enabled
  localRegistry: Enabled
  gitOpsEngine: Flux
  options:
    flux: {interval: 1m}
    localRegistry: {hostPort: 5111}
    kind: {}
    k3d: {}
    cilium: {}
    calico: {}
    argocd: {}
    helm: {}
    kustomize: {}
"""


COMPLETE_G3 = """
apiVersion: ksail.io/v1alpha1
kind: Cluster
metadata: {name: local}
spec:
  editor: code --wait
  cluster:
    distributionConfig: kind.yaml
    connection: {kubeconfig: ~/.kube/config, context: kind-local, timeout: 40m}
    distribution: Vanilla
    provider: Docker
    cni: Calico
    csi: Enabled
    cdi: Disabled
    metricsServer: true
    loadBalancer: false
    certManager: true
    imageVerification: Disabled
    policyEngine: Kyverno
    localRegistry:
      registry: localhost:5050
      credentials: {tokenEnvVar: A, cliTokenEnvVar: B, clusterTokenEnvVar: C}
    gitOpsEngine: Flux
    sops: {enabled: Enabled, env: {var: MY_KEY}, extract: {file: ~/keys.txt, publicKeys: [age1a, age1b]}}
    autoscaler:
      pod: {horizontal: Enabled, vertical: Disabled}
      node:
        enabled: true
        maxNodesTotal: 10
        expander: [LeastWaste, Price]
        scaleDownUnneededTime: 10m
        scaleDownUtilizationThreshold: "0.5"
        capacityBuffers: true
        ignoreDaemonsetsUtilization: true
        skipNodesWithLocalStorage: false
        skipNodesWithSystemPods: false
        pools:
          - name: small
            serverType: cx23
            location: fsn1
            min: 0
            max: 2
            labels: {tier: small, spot: true}
            taints: [{key: a, value: b, effect: NoSchedule}]
    importImages: images.txt
    controlPlanes: 3
    workers: 2
    kubernetesVersion: v1.32.0
    oidc: {issuerURL: a, clientID: b, extraScopes: [c], usernameClaim: d, usernamePrefix: e, groupsClaim: f, groupsPrefix: g, caFile: h}
    vanilla: {mirrorsDir: kind/mirrors}
    talos:
      version: v1.12.4
      config: ~/.talos/config
      iso: 125127
      schematicId: abc
      extensions: [siderolabs/iscsi-tools]
      extraPortMappings: [{containerPort: 80, hostPort: 8080, protocol: UDP}]
      drainTimeout: 5m
      storageHealthTimeout: 90s
    eks: {experimentalAWSLoadBalancerController: true, awsLoadBalancerControllerServiceAccount: aws.lb-controller}
  provider:
    hetzner:
      controlPlaneServerType: cx23
      workerServerType: cx23
      location: fsn1
      networkName: net
      networkCidr: 10.0.0.0/16
      sshKeyName: key
      tokenEnvVar: HCLOUD_TOKEN
      placementGroupStrategy: Spread
      placementGroup: group
      fallbackLocations: [nbg1]
      placementGroupFallbackToNone: true
      floatingIPEnabled: true
      floatingIPLocation: fsn1
      ingressFirewall: Enabled
      serverLimit: 10
      allowedCidrs: [0.0.0.0/0]
      workerPublicIPv4: true
      workerPublicIPv6: true
      controlPlanePublicIPv4: true
      controlPlanePublicIPv6: true
      autoscalerNodePoolNames: [small]
    omni:
      endpoint: a
      endpointEnvVar: b
      serviceAccountKeyEnvVar: c
      talosVersion: d
      kubernetesVersion: e
      machineClass: f
      machines: [g]
    aws: {profileEnvVar: a, regionEnvVar: b, accessKeyIdEnvVar: c, secretAccessKeyEnvVar: d, sessionTokenEnvVar: e}
    gcp: {projectEnvVar: a, locationEnvVar: b}
    azure: {subscriptionIdEnvVar: a, resourceGroupEnvVar: b}
    kubernetes:
      kubeconfig: a
      kubeconfigEnvVar: b
      context: c
      contextEnvVar: d
      gatewayClassName: e
      podCidr: 10.64.0.0/16
      serviceCidr: 10.128.0.0/16
      persistence: {enabled: true, storageClassName: f, size: 20Gi}
  workload:
    sourceDirectory: k8s
    validateOnPush: true
    tag: dev
    kustomizationFile: clusters/local
    flux:
      operatorVersion: a
      distributionVersion: 2.x
      verify: {provider: cosign, secretRef: {name: a}, matchOIDCIdentity: [{issuer: b, subject: c}]}
    watch: {hooks: [make]}
    validation: {skipKinds: [Coroot], schemaLocations: [a], helmRender: false, rules: b}
    scan: {exceptions: a, frameworks: [nsa], complianceThreshold: 80}
  chat: {model: gpt, reasoningEffort: low}
"""


# Deprecated ones are left out of the complete files, they have a warning each.
DEPRECATED = {
    "spec.project.provider": "Docker",
    "spec.validation.lintOnUp": "true",
    "spec.validation.lintOnUpdate": "true",
    "spec.cluster.sops.ageKeyEnvVar": "KEY",
    "spec.cluster.nodeAutoscaling": "Enabled",
    "spec.cluster.talos.controlPlanes": "1",
    "spec.cluster.talos.workers": "1",
    "spec.cluster.talos.imageVerification": "Disabled",
}
