# pip install suger-sdk-python
import suger_sdk_python as suger

configuration = suger.Configuration(host="http://127.0.0.1:8080")
configuration.api_key["APIKeyAuth"] = "Key demo-suger-key"
print(suger.BuyerApi(suger.ApiClient(configuration)).list_buyers("sgr-demo1"))
