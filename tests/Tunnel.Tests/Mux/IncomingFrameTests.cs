using Tunnel.Protocol.Mux;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Mux;

public class IncomingFrameTests
{
    [Fact]
    public void WhereSegmentsEndSaysNothing()
    {
        byte[] frames =
        [
            .. MuxBench.Frame(2, MuxCommand.Open, 3), .. MuxBench.Frame(2, MuxCommand.WindowUpdate, 3, MuxBench.Update(7, 9)),
            .. MuxBench.Frame(2, MuxCommand.Data, 3, Hex.Counting(5)), .. MuxBench.Frame(2, MuxCommand.Data, 5),
        ];
        const string expected = "Open 3, WindowUpdate 3 (7, 9), Data 3, 0001020304, Data 5, ";
        for (int first = 0; first <= frames.Length; first++)
        {
            for (int second = first; second <= frames.Length; second++)
                Assert.Equal(expected, Read(frames[..first], frames[first..second], frames[second..]));
        }
    }

    [Fact]
    public void AWindowUpdateIsJudgedBeforeItHasSaidAnything()
    {
        var frame = new IncomingFrame(version: 1);
        ReadOnlySpan<byte> header = MuxBench.Frame(1, MuxCommand.WindowUpdate, 3, MuxBench.Update(7, 9)).AsSpan(0, MuxFrame.HeaderLength);
        Assert.True(frame.TryTakeHeader(ref header));
        Assert.Equal((false, false), (frame.IsAllowed, frame.IsWhole));
    }

    private static string Read(params byte[][] segments)
    {
        var frame = new IncomingFrame(version: 2);
        string told = "", bytes = "";
        foreach (byte[] segment in segments)
        {
            ReadOnlySpan<byte> data = segment;
            while (!data.IsEmpty)
            {
                if (frame.DataLeft != 0)
                    bytes += Hex.Of(frame.TakeData(ref data));
                else if (frame.TryTakeHeader(ref data) && frame.IsWhole)
                    told += Tell(frame);
                if (bytes.Length != 0 && frame.DataLeft == 0)
                    (told, bytes) = (told + bytes + ", ", "");
            }
        }

        return told;
    }

    private static string Tell(in IncomingFrame frame)
    {
        Assert.True(frame.IsAllowed);
        string update = frame.Frame.Command == MuxCommand.WindowUpdate ? $" ({frame.Consumed}, {frame.Window})" : "";
        return $"{frame.Frame.Command} {frame.Frame.StreamId}{update}, ";
    }
}
