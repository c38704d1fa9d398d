"""The exam that models sit: who is compared, what they are asked, what they answered."""
