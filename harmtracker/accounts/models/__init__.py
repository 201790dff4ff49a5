from .attempt import Attempt
from .authenticator import Authenticator
from .password_link import PasswordLink
from .security_event import SecurityEvent
from .token import Token
from .user import User

__all__ = ["Attempt", "Authenticator", "PasswordLink", "SecurityEvent", "Token", "User"]
