module github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys

go 1.26.0
