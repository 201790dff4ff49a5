from .authenticator import Authenticator
from .token import Token
from .user import User

__all__ = ["Authenticator", "Token", "User"]
