"""The engines there are, and what they have in common."""

from llm_twin_assets.inference.engine import Cancellation as Cancellation
from llm_twin_assets.inference.engine import Engine as Engine
from llm_twin_assets.inference.engine import EngineError as EngineError
from llm_twin_assets.inference.engine import Failure as Failure
from llm_twin_assets.inference.engine import Generated as Generated
from llm_twin_assets.inference.engine import Piece as Piece
from llm_twin_assets.inference.engine import Sampling as Sampling
from llm_twin_assets.inference.transformers_engine import TransformersEngine as TransformersEngine
