# pip install requests (the vendor has no SDK for this API)
import requests

base = "http://127.0.0.1:8080/api/2"
client = ("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", "demo-acronis-secret")
token = requests.post(base + "/idp/token", auth=client, data={"grant_type": "client_credentials"}).json()["access_token"]
tenant = base + "/tenants/2f4c1b7e-0a55-4d1e-9b1f-6a1d3c8e7f10"
print(requests.get(tenant, headers={"Authorization": "Bearer " + token}).json())
