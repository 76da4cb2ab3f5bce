using System.Globalization;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Ctl.Dump.Files;
using Tunnel.Links;
using Tunnel.Links.AfPacket;

namespace Tunnel.Ctl.Dump;

/// <summary>What becomes of frames.</summary>
/// <param name="Filter">Which are shown and written.</param>
/// <param name="Count">After so many shown it ends; 0: never.</param>
/// <param name="Render">A packet's text; null: nothing is printed.</param>
/// <param name="Text">Where that goes.</param>
/// <param name="Writer">Where shown frames are kept, too.</param>
internal sealed record DumpOutput(DumpFilter Filter, long Count, Func<DumpedPacket, string>? Render, TextWriter Text, PcapngWriter? Writer);

/// <summary>Frames from an interface or a file, through the decoder, to standard output and a file.</summary>
internal sealed class DumpRun(PacketDecoder decoder, DumpOutput output) : ITapSink
{
    private const int ReceiveTimeout = 250;

    private long _captured;
    private long _decoded;
    private long _shown;
    private long _lastTime;

    /// <exception cref="CaptureFormatException">The file is damaged; what comes before is shown.</exception>
    public void Read(Stream file, CancellationToken cancel)
    {
        foreach (CapturedFrame frame in CaptureReader.Read(file))
        {
            if (IsOver || cancel.IsCancellationRequested)
                return;
            Take(frame);
        }
    }

    /// <exception cref="LinkException">The tap broke.</exception>
    public void Capture(PacketTap tap, CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.Register(tap.Wake);
        while (!IsOver && !cancel.IsCancellationRequested)
        {
            // Whoever looks on sees packets when they come; a file that is killed has all but the last moment.
            if (tap.Receive(this, ReceiveTimeout) == 0)
                output.Writer?.Flush();
            output.Text.Flush();
        }

        output.Writer?.WriteCounts(_lastTime, _captured, tap.KernelDrops);
    }

    public void OnFrame(ReadOnlySpan<byte> frame, TappedFrame info)
    {
        if (!IsOver)
            Take(new CapturedFrame(info.Time, frame.ToArray(), frame.Length, info.Outgoing ? FrameCourse.Out : FrameCourse.In, info.SegmentLength));
    }

    /// <summary>For the end: "12 captured, 11 decoded, 10 shown, 0 dropped by the kernel".</summary>
    public string Counts(long? kernelDrops)
    {
        string drops = kernelDrops is { } count ? string.Create(CultureInfo.InvariantCulture, $", {count} dropped by the kernel") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{_captured} captured, {_decoded} decoded, {_shown} shown{drops}");
    }

    private bool IsOver => output.Count != 0 && _shown >= output.Count;

    private void Take(CapturedFrame frame)
    {
        _captured++;
        _lastTime = frame.Time;
        DumpedPacket packet = decoder.Decode(frame);
        if (packet.Datagrams.Any(d => d.State == DatagramState.Open))
            _decoded++;
        if (!output.Filter.Passes(packet))
            return;
        _shown++;
        output.Writer?.Write(frame);
        if (output.Render is { } render)
            output.Text.WriteLine(render(packet));
    }
}
