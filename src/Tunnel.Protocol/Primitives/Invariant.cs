using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Tunnel.Protocol.Primitives;

/// <summary>Checks that are always on. A broken one is a defect of this program, never a peer's doing; it kills its session only.</summary>
public static class Invariant
{
    public static void Check([DoesNotReturnIf(false)] bool condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        if (!condition)
            Fail(what);
    }

    [DoesNotReturn]
    private static void Fail(string what) => throw new InvariantException(what);
}

/// <summary>An invariant does not hold.</summary>
public sealed class InvariantException(string what) : Exception($"invariant broken: {what}");
