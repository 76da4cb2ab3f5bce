using System.Globalization;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check.Knobs;

/// <summary>How long the card waits before it interrupts, written as ethtool -C takes it: "adaptive-rx off rx-usecs 128 rx-frames 64",
/// or less of it where the card has less.</summary>
internal sealed class CoalescingKnob : Knob
{
    private const uint ManyUsecs = 64;
    private const uint FewUsecs = 10;

    /// <summary>VIRTIO_NET_F_NOTF_COAL of the virtio specification 1.2, section 5.1.3.</summary>
    private const int VirtioCoalescing = 53;

    private static readonly NicCoalescing Bulk = new(false, 128, 64);
    private static readonly NicCoalescing Prompt = new(false, FewUsecs, 8);

    public override string Name => "nic.coalescing";

    public override string Why => "fewer interrupts for each packet, or each packet sooner";

    public override Reading Read(CheckContext context)
    {
        if (context.Nic is not { } nic)
            return new Reading(null, context.NoInterface);
        NicAnswer<NicCoalescing> answer = nic.Coalescing();
        return answer.Value is { } now ? new Reading(Format(now), null) : new Reading(null, $"{context.Interface}: {answer.Problem}");
    }

    public override Judgement Judge(CheckContext context, Reading now)
    {
        if (Parse(now) is not { } state)
            return Judgement.Unknown(now.Problem ?? $"\"{now.Text?.Trim()}\" is no coalescing");
        if (state is { AdaptiveRx: null, RxUsecs: null })
            return new Judgement(true, "as it is: the card has no rx-usecs", Format(state)) { Matters = false };
        if (IsFixed(context))
            return new Judgement(true, "as it is: this machine's host lets no guest set it (virtio without NOTF_COAL)", Format(state)) { Matters = false };
        return context.Profile switch
        {
            TuningProfile.Throughput => Choose(state.AdaptiveRx is true || state.RxUsecs >= ManyUsecs, $"adaptive, or rx-usecs {ManyUsecs} or more", state, Bulk),
            TuningProfile.Latency => Choose(state.AdaptiveRx is not true && !(state.RxUsecs > FewUsecs), $"rx-usecs {FewUsecs} or less", state, Prompt),
            _ => new Judgement(true, "as it is", Format(state)) { Matters = false },
        };
    }

    public override string Command(CheckContext context, string value) => $"ethtool -C {context.Interface} {value}";

    public override string? Write(CheckContext context, string value) =>
        Parse(new Reading(value, null)) is not { } wanted ? $"\"{value}\" is no coalescing"
        : context.Nic is { } nic ? nic.SetCoalescing(wanted)
        : context.NoInterface;

    /// <summary>
    /// virtio reports rx-usecs whether it can be set or not, and refuses what its host has not offered: a bit of the negotiated features, which
    /// the bus shows as a row of ones and noughts, the lowest first.
    /// </summary>
    private static bool IsFixed(CheckContext context) =>
        context.Nic?.Driver().Value?.Name == "virtio_net"
        && context.Files.Read($"/sys/class/net/{context.Interface}/device/features").Text?.Trim() is { Length: > VirtioCoalescing } features
        && features[VirtioCoalescing] == '0';

    /// <summary>As wished, of what the card has.</summary>
    private static Judgement Choose(bool met, string should, NicCoalescing now, NicCoalescing wanted) => new(met, should, Format(met ? now : new NicCoalescing(
        now.AdaptiveRx is null ? null : wanted.AdaptiveRx,
        now.RxUsecs is null ? null : wanted.RxUsecs,
        now.RxFrames is null ? null : wanted.RxFrames)));

    /// <summary>Only what the card has: a command that names anything else is refused as a whole.</summary>
    private static string Format(NicCoalescing c) => string.Join(' ', new[]
    {
        c.AdaptiveRx is { } adaptive ? $"adaptive-rx {(adaptive ? "on" : "off")}" : null,
        c.RxUsecs is { } usecs ? $"rx-usecs {usecs}" : null,
        c.RxFrames is { } frames ? $"rx-frames {frames}" : null,
    }.OfType<string>());

    /// <summary>Null when it is no list of pairs, or there is none in it.</summary>
    private static NicCoalescing? Parse(Reading reading)
    {
        var parsed = new NicCoalescing(null, null, null);
        foreach (string[] pair in reading.Words.Chunk(2))
        {
            bool isNumber = uint.TryParse(pair[^1], NumberStyles.None, CultureInfo.InvariantCulture, out uint number);
            switch (pair)
            {
                case ["adaptive-rx", "on" or "off"]: parsed = parsed with { AdaptiveRx = pair[1] == "on" }; break;
                case ["rx-usecs", _] when isNumber: parsed = parsed with { RxUsecs = number }; break;
                case ["rx-frames", _] when isNumber: parsed = parsed with { RxFrames = number }; break;
                default: return null;
            }
        }

        return parsed == new NicCoalescing(null, null, null) ? null : parsed;
    }
}
