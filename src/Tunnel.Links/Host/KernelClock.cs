using System.Buffers.Binary;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>What the kernel knows about its own clock, from whoever disciplines it (an NTP daemon, or nobody).</summary>
/// <param name="IsSynchronised">Somebody disciplines it.</param>
/// <param name="MaximumError">How far off it may be; grows while nobody does.</param>
public sealed record KernelClock(bool IsSynchronised, TimeSpan MaximumError)
{
    private const int TimexLength = 256;
    private const int MaximumErrorOffset = 24;
    private const int StatusOffset = 40;
    private const int Unsynchronised = 0x40;
    private const int StateError = 5;

    /// <summary>The clock, or why the kernel does not tell.</summary>
    public static unsafe (KernelClock? Clock, string? Problem) Read()
    {
        // struct timex with modes 0: nothing is adjusted. Longer than the struct, whose end differs between C libraries.
        byte* timex = stackalloc byte[TimexLength];
        var block = new Span<byte>(timex, TimexLength);
        block.Clear();
        int state = Libc.AdjustTime(timex);
        return state < 0 ? (null, Libc.Describe(Libc.LastError)) : (Parse(state, block), null);
    }

    internal static KernelClock Parse(int state, ReadOnlySpan<byte> timex)
    {
        long error = BinaryPrimitives.ReadInt64LittleEndian(timex[MaximumErrorOffset..]);
        int status = BinaryPrimitives.ReadInt32LittleEndian(timex[StatusOffset..]);
        return new KernelClock(state != StateError && (status & Unsynchronised) == 0, TimeSpan.FromMicroseconds(Math.Clamp(error, 0, long.MaxValue / 20)));
    }
}
