# pip install PureCloudPlatformClientV2
import PureCloudPlatformClientV2 as genesys

genesys.configuration.host = "http://127.0.0.1:8080"
client = genesys.api_client.ApiClient().get_client_credentials_token(
    "5a0d7c1e-2b94-4f6a-8e13-9c4b6d2f7a01", "demo-genesys-secret")
print(genesys.LicenseApi(client).get_license_users())
