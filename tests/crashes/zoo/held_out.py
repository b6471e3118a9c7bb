from tests.crashes.zoo.development import DEVELOPMENT
HELD_OUT = DEVELOPMENT
