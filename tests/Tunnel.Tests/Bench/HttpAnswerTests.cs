using System.Text;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Workloads;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Bench;

public class HttpAnswerTests
{
    public static TheoryData<string, int, long, bool> Answers => new()
    {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, false },
        { "HTTP/1.1 200 OK\r\ncontent-length:0\r\nConnection: Close\r\n\r\n", 200, 0, true },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, 0, false },
        { "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", 304, 0, false },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nA: b\r\n\r\n", 200, 31, false },
        { "HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, 2, true },
        { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, 2, false },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void WholeHoweverItIsCut(string text, int status, long body, bool closes) => TestSeed.Run(50, seed =>
    {
        var random = new Random((int)seed);
        var answer = new HttpAnswer();
        answer.Begin();
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        for (int at = 0; at < bytes.Length;)
        {
            Assert.False(answer.IsWhole);
            int count = seed == 0 ? 1 : random.Next(1, bytes.Length - at + 1);
            bytes.AsSpan(at, count).CopyTo(answer.Room.Span);
            answer.Take(count);
            at += count;
        }

        Assert.True(answer.IsWhole);
        Assert.Equal((status, body, closes), (answer.Status, answer.BodyBytes, answer.Closes));
    });

    [Fact]
    public void WithoutLengthTheBodyGoesToTheEnd()
    {
        HttpAnswer answer = Read("HTTP/1.1 200 OK\r\n\r\nsome bytes");
        Assert.False(answer.IsWhole);
        answer.End();
        Assert.True(answer is { IsWhole: true, Closes: true, BodyBytes: 10 });
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")]
    [InlineData("HTTP/1.1 200")]
    public void AnEndWithinTheAnswerIsAnError(string text) =>
        Assert.Equal(LoadError.Closed, Assert.Throws<LoadException>(() => Read(text).End()).Kind);

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 two OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n")]
    public void NonsenseIsAnError(string text) =>
        Assert.Equal(LoadError.Wrong, Assert.Throws<LoadException>(() => Read(text)).Kind);

    [Fact]
    public void AHeadWithoutEndIsAnError()
    {
        var answer = new HttpAnswer();
        answer.Begin();
        answer.Room.Span.Fill((byte)'x');
        Assert.Throws<LoadException>(() => answer.Take(answer.Room.Length));
    }

    private static HttpAnswer Read(string text)
    {
        var answer = new HttpAnswer();
        answer.Begin();
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        bytes.CopyTo(answer.Room);
        answer.Take(bytes.Length);
        return answer;
    }
}
