S=http://127.0.0.1:8080
T=$(curl -s -u 5a0d7c1e-2b94-4f6a-8e13-9c4b6d2f7a01:demo-genesys-secret \
  -d grant_type=client_credentials $S/oauth/token | jq -r .access_token)
curl -s -H "Authorization: Bearer $T" \
  "$S/api/v2/billing/trusteebillingoverview/b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713?billingPeriodIndex=1" | jq
